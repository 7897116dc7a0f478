-- The note of a published version is somebody's words: it stands beside the version, which never changes, and goes when its writer is erased.
create table console.version_note (
    workflow text not null,
    number integer not null,
    note text not null,
    primary key (workflow, number)
);
alter table console.version_note alter column note set statistics 0;
insert into console.version_note select workflow, number, note from console.workflow_version where note <> '';
alter table console.workflow_version disable trigger workflow_version_immutable;
update console.workflow_version set note = '' where note <> '';
alter table console.workflow_version enable always trigger workflow_version_immutable;
do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, delete on console.version_note to console;
    grant update (reason) on console.hold to console;
end $$;
