-- Rights requests.
-- Changes of the rights that give their author a right on records, and wait for a second administrator. The change is pinned: what is confirmed is what was seen.
-- `base` is the version of the rights that a draft was reviewed against; null where the change only adds rules about a new data source, `about`.
create table console.rights_request (
    id text primary key,
    base bigint,
    about text not null default '',
    added jsonb not null,
    removed jsonb not null,
    hash text not null,
    note text not null default '',
    status text not null check (status in ('waiting', 'confirmed', 'refused', 'withdrawn', 'void')),
    requested_by text not null references console.person (id),
    requested_at timestamptz not null,
    decided_by text,
    decided_at timestamptz,
    reason text not null default '',
    version bigint
);
alter table console.rights_request alter column note set statistics 0;
alter table console.rights_request alter column reason set statistics 0;
create unique index rights_request_of_draft on console.rights_request (requested_by) where status = 'waiting' and base is not null;
create index rights_request_waiting on console.rights_request (requested_at) where status = 'waiting';

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.rights_request to console;
end $$;
