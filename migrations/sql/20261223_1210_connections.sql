-- MCP servers that administrators registered: how each is reached, what it last offered, and the tools that were accepted.
create table console.connection (
    name text primary key check (name ~ '^[a-z][a-z0-9_]{0,63}$'),
    address jsonb not null,
    auth jsonb not null default '{}',
    sealed bytea,
    offered text not null default '[]',
    tools text not null default '[]',
    problem text not null default '',
    checked_at timestamptz,
    changed_by text not null,
    changed_at timestamptz not null default now()
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.connection to console;
end $$;
