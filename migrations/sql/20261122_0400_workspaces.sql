-- Workspaces: what counts (null: nothing was published yet), version by version, and what somebody is about to publish (null: nobody is).
-- Documents are kept as their canonical text.
create table console.workspace (
    id text primary key,
    document text,
    version integer not null default 0,
    changed_at timestamptz not null default now()
);

create table console.workspace_version (
    workspace text not null references console.workspace (id) on delete cascade,
    number integer not null check (number > 0),
    document text not null,
    hash text not null,
    origin text not null check (origin in ('page', 'file')),
    made_by text not null,
    made_at timestamptz not null default now(),
    primary key (workspace, number)
);

create table console.workspace_draft (
    workspace text primary key references console.workspace (id) on delete cascade,
    document text,
    former jsonb not null default '[]',
    revision integer not null,
    changed_by text not null,
    changed_at timestamptz not null default now()
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.workspace, console.workspace_draft to console;
    grant select, insert on console.workspace_version to console;
end $$;
