-- Filters of a list that a person saved as a tab: for themselves (`user:<id>`), for a team (`team:<id>`) or for a role (`role:<id>`).
-- `query` is JSON under the master key: values that somebody filters by may be about a person.
create table console.saved_segment (
    id text primary key,
    collection text not null,
    label text not null,
    audience text not null check (audience ~ '^(user|team|role):'),
    query bytea not null,
    made_by text not null,
    changed_at timestamptz not null default now()
);
create index saved_segment_collection on console.saved_segment (collection, audience);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.saved_segment to console;
end $$;
