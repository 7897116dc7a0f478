-- A removed account keeps its row and its name, for the history that names it; its address is free again.
alter table console.person alter column email drop not null, add column removed_at timestamptz,
    add constraint removed_has_no_address check ((removed_at is null) = (email is not null)),
    add constraint removed_is_disabled check (removed_at is null or disabled_at is not null);
create index person_by_name on console.person (lower(name), id);
create index session_of_anybody on console.session (person, seen_at desc);
create index person_of_team on console.person_team (team);
create index policy_given on console.policy (obj, dom) where ptype = 'g';

alter table console.team add column description text not null default '', add column lead text references console.person (id),
    add column archived_at timestamptz, add column created_at timestamptz not null default now();

-- An invitation that nobody has accepted or revoked yet: then its row goes, and the log knows. `person` is the id that the account will have;
-- `roles` are words such as operator@operations.
create table console.invitation (
    id text primary key,
    person text not null unique,
    email text not null unique check (email = lower(email)),
    roles jsonb not null,
    teams jsonb not null,
    token bytea not null unique,
    invited_by text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    mail text not null default 'none' check (mail in ('none', 'sent', 'failed', 'unknown'))
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.invitation to console;
end $$;
