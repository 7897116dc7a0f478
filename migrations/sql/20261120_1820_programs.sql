-- Null: everything that the owner may do, from everywhere.
alter table console.api_key add column scopes jsonb, add column networks text[];
create index api_key_of_person on console.api_key (person, created_at desc);

-- How often each key asked in the minute, hour and day that began at these moments (UTC). Unlogged: what a crash forgets is a few minutes of counting.
create unlogged table console.api_rate (
    key text primary key,
    minute_at timestamp not null,
    minute integer not null,
    hour_at timestamp not null,
    hour integer not null,
    day_at timestamp not null,
    day integer not null
);

create index request_done_at on console.request_done (at);

create table console.organization (id text primary key);
insert into console.organization (id) values ('org_' || substr(md5(random()::text || clock_timestamp()::text), 1, 26));

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.api_rate to console;
    grant select on console.organization to console;
end $$;
