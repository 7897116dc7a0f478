-- How far the mailbox that contacts answer to was read: one row.
create table console.mailbox (
    id integer primary key check (id = 1),
    validity bigint,
    next_uid bigint,
    held_until timestamptz,
    tries integer not null default 0,
    looked_at timestamptz,
    taken bigint not null default 0,
    problem text,
    problem_at timestamptz
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.mailbox to console;
end $$;
