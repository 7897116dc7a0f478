-- Whom an open approval is assigned to by name; who may decide about it stays as its rules say.
create table console.approval_assignee (
    id text primary key, -- of the approval
    run text not null references console.run (id) on delete cascade,
    person text not null
);
create index approval_assignee_of_run on console.approval_assignee (run);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.approval_assignee to console;
end $$;
