-- What may end a run's wait, found in the database of its collection: written down by a look, judged and deleted by the job of its batch.
create table console.waking (
    id bigint generated always as identity primary key,
    batch text not null,
    run text not null,
    key text not null,
    kind text not null,
    found text not null,
    at timestamptz not null,
    made_by text,
    unique (key, found, kind)
);
create index waking_batch on console.waking (batch);

-- Whoever waited before changes were looked for has a key that does not say for what.
drop index console.run_awaiting_change;
create index run_awaiting_change on console.run (collection, record)
    where status = 'waiting_event' and (starts_with(waiting ->> 'key', 'awr_') or starts_with(waiting ->> 'key', 'awt_'));

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.waking to console;
end $$;
