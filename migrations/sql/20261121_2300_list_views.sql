-- How a person sees a list. `columns` null: those of the collection; `segment` null: that of their role, empty: all records.
create table console.list_view (
    person text not null references console.person (id) on delete cascade,
    collection text not null,
    columns text[] check (cardinality(columns) between 1 and 200),
    roomy boolean not null default false,
    segment text,
    changed_at timestamptz not null default now(),
    primary key (person, collection)
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.list_view to console;
end $$;
