-- Tags: words of the house that people and workflows put on records. `id` is the word without regard to capitals, `name` how it is written.
create table console.tag (
    id text primary key,
    name text not null,
    created_by text not null,
    created_at timestamptz not null default now()
);
create table console.record_tag (
    collection text not null,
    record text not null,
    tag text not null references console.tag (id),
    subject text not null,
    by text not null,
    at timestamptz not null,
    run text,
    primary key (collection, record, tag)
);
create index record_tag_tag on console.record_tag (collection, tag, record);
create index record_tag_subject on console.record_tag (subject);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert on console.tag to console;
    grant select, insert, delete on console.record_tag to console;
end $$;
