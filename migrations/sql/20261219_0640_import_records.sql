-- What each import added and changed, by line: so that its records are found again, and what it added can be taken back. `record` is as the log refers to it,
-- `seen` a digest of an added record as it was then. It goes with the import.
create table console.import_record (
    batch text not null references console.enrolment_batch (id) on delete cascade,
    added boolean not null,
    line bigint not null,
    record text not null,
    seen text,
    primary key (batch, added, line)
);
create index import_record_record on console.import_record (batch, record);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.import_record to console;
end $$;
