-- Which of those started together a run is: asked where one of them ends, for the next one.
create index bulk_item_run on console.bulk_item (run) where run is not null;
