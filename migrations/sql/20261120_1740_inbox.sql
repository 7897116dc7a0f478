-- Queues of records and runs that wait for people, and through which of them a run came into somebody's hands.
create table console.inbox (
    id text primary key,
    title text not null,
    help text,
    team text not null,
    roles jsonb not null default '[]',
    source jsonb,
    position integer not null default 0,
    made_by text not null,
    made_at timestamptz not null default now(),
    closed_at timestamptz
);

create table console.inbox_taken (
    run text primary key,
    inbox text not null,
    at timestamptz not null
);
create index inbox_taken_newest on console.inbox_taken (inbox, at desc);

-- Runs that nobody has in hand and that wait for a person: what an inbox offers again.
create index run_put_down on console.run (workflow, active_at, id)
    where ended_at is null and holder is null and ticket is null and status in ('saved', 'waiting_person');

-- A run that somebody took out of an inbox, in the transaction that gave it to them.
create function console.note_taken() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into console.inbox_taken values (new.id, old.ticket ->> 'inbox', new.active_at)
    on conflict (run) do update set inbox = excluded.inbox, at = excluded.at;
    return null;
end $$;
create trigger run_taken after update of ticket on console.run for each row
    when ((old.ticket ->> 'inbox') is not null and (new.ticket ->> 'inbox') is null and new.holder is not null) execute function console.note_taken();

revoke execute on function console.note_taken() from public;
do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update on console.inbox to console;
    grant select on console.inbox_taken to console;
    revoke execute on function console.note_taken() from console;
end $$;
