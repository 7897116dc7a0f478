-- Within how much working time runs of a workflow, or tickets of an inbox, are to be done, and what happens at which part of it; and where each live run stands.
create table console.due_rule (
    id text primary key,
    workflow text references console.workflow (id) on delete cascade,
    inbox text,
    minutes integer not null check (minutes > 0),
    zone text not null default 'UTC',
    days integer[] not null default '{0,1,2,3,4,5,6}',
    opens time not null default '00:00',
    closes time not null default '00:00',
    holidays date[] not null default '{}',
    stages jsonb not null,
    made_by text not null,
    made_at timestamptz not null default now(),
    check ((workflow is null) <> (inbox is null))
);
create unique index due_rule_workflow on console.due_rule (workflow) where workflow is not null;
create unique index due_rule_inbox on console.due_rule (inbox) where inbox is not null;
create table console.due_clock (
    rule text not null references console.due_rule (id) on delete cascade,
    run text not null,
    begun_at timestamptz not null,
    reached integer not null default 0,
    worked_s double precision not null default 0,
    next_at timestamptz,
    breached_at timestamptz,
    primary key (rule, run)
);
create index due_clock_next on console.due_clock (next_at) where next_at is not null;

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.due_rule, console.due_clock to console;
end $$;
