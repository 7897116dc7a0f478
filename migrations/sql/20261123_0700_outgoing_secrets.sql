-- Secrets that steps and actions show to other systems, each only to the hosts that it is for.
create table console.outgoing_secret (
    name text primary key check (name ~ '^[a-z][a-z0-9_]{0,63}$'),
    sealed bytea not null,
    hosts text[] not null check (cardinality(hosts) > 0),
    changed_by text not null,
    changed_at timestamptz not null default now()
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.outgoing_secret to console;
end $$;
