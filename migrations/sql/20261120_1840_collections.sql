-- What was said of a collection, version by version, and what somebody is about to say (null: nobody is). Documents are kept as their canonical text.
create table console.collection_version (
    collection text not null,
    number integer not null check (number > 0),
    document text not null,
    hash text not null,
    origin text not null check (origin in ('found', 'page', 'file')),
    made_by text not null,
    made_at timestamptz not null default now(),
    primary key (collection, number)
);

create table console.collection_draft (
    collection text primary key,
    document text,
    former jsonb not null default '[]',
    revision integer not null,
    changed_by text not null,
    changed_at timestamptz not null default now()
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert on console.collection_version to console;
    grant select, insert, update on console.collection_draft to console;
end $$;
