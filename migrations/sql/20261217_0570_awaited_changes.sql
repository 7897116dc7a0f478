-- Runs that wait for a change of their record: which collections have to be looked at for them, and who is woken.
create index run_awaiting_change on console.run (collection, record) where status = 'waiting_event' and starts_with(waiting ->> 'key', 'awr_');
