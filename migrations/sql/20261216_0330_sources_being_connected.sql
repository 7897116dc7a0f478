-- Databases of many tables that are being connected: what was asked for, how many tables are looked at, and why it did not come about.
create table console.source_connecting (
    id text primary key,
    name text not null unique,
    person text not null references console.person (id) on delete cascade,
    url_sealed bytea not null,
    request jsonb not null,
    done integer,
    total integer not null,
    why text not null default ''
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.source_connecting to console;
end $$;
