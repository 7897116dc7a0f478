-- What roles are called; a role without a row is called after its id.
create table console.role (
    id text primary key check (id ~ '^[a-z][a-z0-9_]{0,62}$'),
    title text not null check (title <> ''),
    about text not null default '',
    changed_at timestamptz not null default now()
);

-- Every version of the rights, as the difference to the one before: rows as arrays of ptype, sub, dom, obj, act, eft, expression.
create table console.policy_version (
    number bigint primary key,
    at timestamptz not null default now(),
    by text not null default '',
    note text not null default '',
    added jsonb not null,
    removed jsonb not null
);
create index policy_version_at on console.policy_version (at desc);

-- What one admin has changed and not yet published; `base` is the version that it was begun on.
create table console.policy_draft (
    person text primary key references console.person (id) on delete cascade,
    base bigint not null,
    added jsonb not null,
    removed jsonb not null,
    at timestamptz not null default now()
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.role, console.policy_draft to console;
    grant select, insert on console.policy_version to console;
end $$;
