-- Rules that tell somebody when a run fails or takes too long, at most once an hour each; and which slow runs they have told of.
alter table console.failure add column alerted_at timestamptz;
create index failure_unalerted on console.failure (pos) where alerted_at is null;
create table console.alert_rule (
    id text primary key,
    workflow text not null references console.workflow (id) on delete cascade,
    kind text not null check (kind in ('failed', 'slow', 'error')),
    minutes integer check (minutes > 0),
    pattern text check (char_length(pattern) <= 200),
    people text[] not null default '{}',
    mail boolean not null default true,
    starts text,
    made_by text not null,
    made_at timestamptz not null default now(),
    last_at timestamptz,
    held integer not null default 0
);
create index alert_rule_workflow on console.alert_rule (workflow);
create table console.alert_told (
    rule text not null references console.alert_rule (id) on delete cascade,
    run text not null,
    primary key (rule, run)
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.alert_rule, console.alert_told to console;
end $$;
