-- Found by what they wait for alone: `active_at` changes with each step, and a row whose indexed columns change is written to every index of its table.
drop index console.run_joining;
create index run_joining on console.run (id) where status = 'waiting_event' and (waiting ->> 'for') = 'run';
