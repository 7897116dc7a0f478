-- Who is away, from when to when, and who stands in; and of a notice, an answer and a task in whose place somebody got, gave or closed it.
create table console.absence (
    id text primary key,
    person text not null references console.person (id) on delete cascade,
    substitute text not null references console.person (id) on delete cascade,
    first_day date not null,
    last_day date not null check (last_day >= first_day),
    starts_at timestamptz not null,
    ends_at timestamptz not null check (ends_at > starts_at),
    made_by text not null,
    made_at timestamptz not null,
    check (person <> substitute)
);
create index absence_of_person on console.absence (person, ends_at);
create index absence_ends on console.absence (ends_at);
alter table console.notice add column stands_in_for text;
alter table console.notice add column passed_on_at timestamptz;
alter table console.answer add column stands_in_for text;
alter table console.task add column closed_for text;

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.absence to console;
end $$;
