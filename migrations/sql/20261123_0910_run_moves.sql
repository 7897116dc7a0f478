-- Moves of many live runs to another version: which, where they go on, how far it is, and why some were not moved.
create table console.run_move (
    id text primary key,
    workflow text not null references console.workflow (id) on delete cascade,
    former_version integer not null,
    version integer not null,
    steps jsonb not null,
    runs text[] not null,
    person text not null,
    reason text not null,
    status text not null default 'running' check (status in ('running', 'done')),
    done integer not null default 0,
    moved integer not null default 0,
    refused jsonb not null default '{}'::jsonb,
    made_at timestamptz not null,
    ended_at timestamptz
);
alter table console.run_move alter column steps set statistics 0;  -- no column of JSON is sampled
alter table console.run_move alter column refused set statistics 0;
create index run_move_workflow on console.run_move (workflow, made_at desc);
create index run_move_running on console.run_move (made_at) where status = 'running';

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.run_move to console;
end $$;
