-- What a step writes in a run's row stands in no index while somebody has the run in hand: the server then writes the row in place of the old one
-- (heap-only) and leaves its indexes alone. Expressions of checks and of a trigger's condition are read anew by every statement, however simple:
-- the number of an event is counted up from 0 by the one function that writes events, and a run that leaves an inbox is noted there as well.
alter table console.event drop constraint event_run_seq_check;

alter table console.run set (fillfactor = 80);
alter table console.run add column put_down_at timestamptz;  -- since when nobody has the run in hand
update console.run set put_down_at = active_at where holder is null;
drop index console.run_put_down;
create index run_put_down on console.run (workflow, put_down_at, id)
    where ended_at is null and holder is null and ticket is null and status in ('saved', 'waiting_person');

drop trigger run_taken on console.run;
drop function console.note_taken();
