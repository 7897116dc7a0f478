-- Runs that failed or timed out, read from the log: what went wrong at which step, and the run that repeats it. `cause` groups alike messages and holds none.
create table console.failure (
    run text primary key,
    pos bigint not null,
    workflow text not null,
    version integer not null,
    step text not null,
    code text not null,
    cause text not null,
    at timestamptz not null,
    team text not null,
    label text,
    retried_by text,
    closed_at timestamptz,
    closed_by text
);
create index failure_open on console.failure (workflow, cause, at desc) where retried_by is null and closed_at is null;
create index failure_code on console.failure (code, run);
insert into console.version values ('failures', 0);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.failure to console;
end $$;
