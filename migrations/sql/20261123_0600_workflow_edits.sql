-- The draft of a workflow has a revision. An edit holds the changes that made a revision and those that undo it: what a draft was at an
-- earlier revision is found by undoing, newest first. `of` is the edit that an undo undoes, or a redo does again; `undone` marks an undone one.
alter table console.workflow add column draft_revision integer not null default 0;
alter table console.workflow_version add column note text not null default '';

create table console.workflow_edit (
    workflow text not null references console.workflow (id) on delete cascade,
    revision integer not null,
    at timestamptz not null default now(),
    by text not null,
    kind text not null,
    "of" integer,
    undone boolean not null default false,
    changes jsonb not null,
    inverse jsonb not null,
    primary key (workflow, revision)
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.workflow_edit to console;
end $$;
