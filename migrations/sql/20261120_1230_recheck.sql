-- How far the console itself has checked its log: what is new ("new") and the whole in rounds ("round").
create table console.log_check (
    name text primary key check (name in ('new', 'round')),
    upto bigint not null default 0,
    at timestamptz,
    whole_at timestamptz,
    problem text
);
insert into console.log_check (name) values ('new'), ('round');

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, update on console.log_check to console;
end $$;
