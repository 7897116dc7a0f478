-- What can be done to records. The document is the canonical text that its hash is of; former ones stand in the log by their hash.

create table console.action (
    id text primary key,
    title text not null,
    collection text,
    team text not null default '',
    document bytea not null,
    hash text not null,
    changed_at timestamptz not null default now(),
    changed_by text not null
);

-- An action on many records, as one person chose them: how far it is. The runs are what counts; this is the page that follows them.
create table console.bulk (
    id text primary key,
    person text not null,
    action text not null,
    collection text not null,
    "values" jsonb not null,
    items jsonb not null,
    created_at timestamptz not null default now()
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.action, console.bulk to console;
end $$;
