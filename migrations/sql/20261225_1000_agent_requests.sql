-- Questions of programs: the run in which people answer, whose key asked, what happens when nobody answers, and when the answer was first read.
create table console.agent_request (
    id text primary key,
    run text not null unique,
    person text not null,
    key text not null,
    due timestamptz,
    on_silence text not null check (on_silence in ('expire', 'escalate')),
    at timestamptz not null default now(),
    silent_at timestamptz,
    delivered_at timestamptz
);
create index agent_request_of_key on console.agent_request (key, at desc);
create index agent_request_due on console.agent_request (due) where due is not null and silent_at is null;

alter table console.inbox add column own_tool_calls boolean not null default false;

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.agent_request to console;
end $$;
