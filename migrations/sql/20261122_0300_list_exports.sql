-- Files that people had made of a list: what was asked for, under the key of the person, how far it is, and until when the file is kept.
create table console.list_export (
    id text primary key,
    person text not null references console.person (id) on delete cascade,
    collection text not null,
    format text not null check (format in ('csv', 'xlsx')),
    subject text not null,
    kid text not null,
    nonce bytea not null,
    ct bytea not null,
    status text not null default 'waiting' check (status in ('waiting', 'running', 'done', 'failed', 'stopped')),
    why text not null default '',
    done bigint not null default 0,
    total bigint,
    parts integer not null default 0,
    created_at timestamptz not null,
    expires_at timestamptz not null
);
create index list_export_person on console.list_export (person, created_at);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.list_export to console;
end $$;
