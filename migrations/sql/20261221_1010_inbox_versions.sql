-- What an inbox said, each time it was saved on a page; and how many of its tickets one person may have.
alter table console.inbox add column most integer check (most > 0);
create table console.inbox_version (
    inbox text not null references console.inbox (id) on delete cascade,
    number integer not null check (number > 0),
    document text not null,
    hash text not null,
    origin text not null check (origin in ('found', 'page')),
    made_by text not null,
    made_at timestamptz not null default now(),
    primary key (inbox, number)
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert on console.inbox_version to console;
end $$;
