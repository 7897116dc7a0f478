-- Home: runs that ended, the latest first; runs that were saved, the longest first.
create index run_ended on console.run (ended_at desc, id desc) where ended_at is not null;
create index run_saved on console.run (put_down_at, id) where status = 'saved';

-- A record or a list that a person wants at hand. `record` and `segment` are empty where there is none.
create table console.pin (
    person text not null references console.person (id) on delete cascade,
    collection text not null,
    record text not null default '',
    segment text not null default '',
    at timestamptz not null default now(),
    primary key (person, collection, record, segment)
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, delete on console.pin to console;
end $$;
