-- The data source for whose return a firing waits: it is tried at once when that answers again, and else more and more rarely.
alter table console.firing add column source text;
create index firing_of_source on console.firing (source) where status = 'waiting' and source is not null;
