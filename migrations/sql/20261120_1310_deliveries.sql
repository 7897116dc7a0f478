-- How far each place outside has got: one row per place, its newest checkpoint, and what stands in the way of the next.
create table console.delivery (
    place text primary key,
    size bigint,
    delivered_at timestamptz,
    tried integer not null default 0,
    due_at timestamptz not null default now(),
    failing_since timestamptz,
    error text
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.delivery to console;
end $$;
