-- A row for each worker, written anew every few seconds: one that is frozen still holds its lock, and is told by this.
create table console.worker_sign (
    worker text primary key,
    at timestamptz not null default clock_timestamp()
);

-- Always empty. Whoever asks whether anything can be written fills it in a transaction that is rolled back: what is truncated first
-- takes new room on the disk, as the pages of any table that grows do.
create unlogged table console.write_probe (filler text not null);
alter table console.write_probe alter filler set storage plain;

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.worker_sign to console;
    grant select, insert, truncate on console.write_probe to console;
end $$;
