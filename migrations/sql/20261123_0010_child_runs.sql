-- What a branch of a run began with: the step, the context and the item, and the step at which it joins.
alter table console.run add column fork jsonb;
alter table console.run alter column fork set statistics 0;  -- holds what was read of records

-- Runs that wait for others, and live runs that belong to one: the sweep looks for those that a crash left behind.
create index run_joining on console.run (active_at) where status = 'waiting_event' and (waiting ->> 'for') = 'run';
create index run_live_children on console.run (parent) where parent is not null and ended_at is null;
