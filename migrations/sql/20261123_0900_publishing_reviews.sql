-- A second person for publishing: whether a team wants one, and the requests. A request pins the document and the live version that it was
-- compared with; `impact` is the list that whoever decided had before them.
alter table console.team add column second_person boolean not null default false;

create table console.workflow_review (
    id text primary key,
    workflow text not null references console.workflow (id) on delete cascade,
    revision integer not null,
    document jsonb not null,
    hash text not null,
    base integer,
    note text not null,
    status text not null default 'waiting' check (status in ('waiting', 'changes_requested', 'approved', 'withdrawn', 'void')),
    requested_by text not null,
    requested_at timestamptz not null,
    decided_by text,
    decided_at timestamptz,
    reason text not null default '',
    impact jsonb,
    version integer
);
alter table console.workflow_review alter column impact set statistics 0;  -- no column of JSON that names people or records is sampled
alter table console.workflow_review alter column document set statistics 0;
create unique index workflow_review_waiting on console.workflow_review (workflow) where status = 'waiting';
create index workflow_review_newest on console.workflow_review (workflow, requested_at desc);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.workflow_review to console;
end $$;
