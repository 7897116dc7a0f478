-- Runs that wait for an event are found by the record that it is about; the cursor says up to where the log was read for them.
create index run_awaiting on console.run (collection, record) where status = 'waiting_event' and (waiting ->> 'for') = 'event';
insert into console.version (name, number) select 'awaited_events_read', coalesce(max(pos), 0) from console.activity;
