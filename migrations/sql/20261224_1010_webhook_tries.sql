-- Each try of a delivery, with what the other side answered: under the key of the event's subject, or under the master key where it has none.
create table console.webhook_try (
    delivery text not null references console.webhook_delivery (id) on delete cascade,
    number bigint generated always as identity,
    at timestamptz not null,
    code integer,
    error text,
    answer bytea,
    primary key (delivery, number)
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.webhook_try to console;
end $$;
