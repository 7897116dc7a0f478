-- The rules of the house for reaching people: hours and caps, each version as it was saved. `looked_to` is the last of the messages that waited which
-- was handed to a worker to be judged by the new rules, `looked_at` when the last one was.
create table console.contact_rules (
    version integer primary key,
    at timestamptz not null,
    by text not null,
    document jsonb not null,
    looked_to text not null default '',
    looked_at timestamptz
);
create index message_held on console.message (id) where status = 'waiting' and code in ('quiet_hours', 'over_cap');

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update on console.contact_rules to console;
end $$;
