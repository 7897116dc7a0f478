-- Looks for what has to be moved read what is to be moved, and not every run that rests.
drop index console.run_moving;
create index run_at_work on console.run (workflow)
    where ended_at is null and (status = 'running' or (status = 'waiting_event' and (waiting ->> 'for') = 'effect'));

drop index console.run_due;
create index run_due on console.run (mode, ((waiting ->> 'until') collate "C")) where status in ('waiting_time', 'waiting_event');

-- Who waits for a data source that was down.
create index run_for_source on console.run (id) where status = 'waiting_time' and (waiting ->> 'source') is not null;

create index pgqueuer_failed on queue.pgqueuer (dedupe_key) where status = 'failed';

-- Who left before their run ended: few, where those who ever left are many.
create index enrolment_left_early on console.enrolment (left_at) where run is not null and ending in ('unenrolled', 'exited', 'record_gone', 'erased');
