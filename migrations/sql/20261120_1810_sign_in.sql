-- Signing in: how it is done here, second factors, accounts of an identity provider, and short-lived secrets that open something once.

alter table console.session
    add column method text not null default 'password',
    add column proved_at timestamptz not null default now(),
    add column roles text,
    add column former_hash bytea,
    add column former_until timestamptz;
create unique index session_by_former on console.session (former_hash) where former_hash is not null;

create table console.sign_in (
    singleton boolean primary key default true check (singleton),
    document jsonb not null,
    changed_at timestamptz not null default now()
);

create table console.second_factor (
    person text primary key references console.person (id) on delete cascade,
    secret bytea not null,
    last_step bigint not null,
    since timestamptz not null default now()
);
create table console.recovery_code (
    person text not null references console.person (id) on delete cascade,
    hash bytea not null,
    used_at timestamptz,
    primary key (person, hash)
);

create table console.identity (
    issuer text not null,
    subject text not null,
    person text not null references console.person (id) on delete cascade,
    roles jsonb not null default '[]',
    linked_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    primary key (issuer, subject)
);
create index identity_of_person on console.identity (person);

create table console.one_time (
    hash bytea primary key,
    kind text not null check (kind in ('code', 'enrol', 'reset', 'letter', 'state', 'kept')),
    person text references console.person (id) on delete cascade,
    content bytea,
    until timestamptz not null
);
create index one_time_until on console.one_time (until);
create index one_time_of_person on console.one_time (person, kind);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.sign_in, console.second_factor, console.recovery_code, console.identity, console.one_time
        to console;
end $$;
