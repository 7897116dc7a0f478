-- Triggers of live versions: whether they are on, when they are due, how far they have read. What they are stands in the document of the version.
-- `token` is a hash of the address of a webhook, `address` the token itself and `secret` the signing secret, both under the master key.
create table console.trigger (
    workflow text not null,
    id text not null,
    kind text not null,
    definition jsonb not null,
    declared boolean not null,
    enabled boolean not null,
    added boolean not null default false,
    version integer,
    next_at timestamptz,
    cursor bigint,
    token bytea unique,
    address bytea,
    secret bytea,
    matched bigint not null default 0,
    passed bigint not null default 0,
    left_out bigint not null default 0,
    stopped bigint not null default 0,
    problem text,
    problem_at timestamptz,
    changed_at timestamptz not null default now(),
    primary key (workflow, id)
);
create index trigger_due on console.trigger (next_at) where enabled and next_at is not null;

-- One firing: it waits, becomes a run, or does not. `told` holds event, input and chain under the master key until then.
create table console.firing (
    id text primary key,
    workflow text not null,
    trigger text not null,
    kind text not null,
    key text not null,
    at timestamptz not null,
    due_at timestamptz not null default now(),
    version integer,
    collection text,
    record text,
    told bytea,
    status text not null default 'waiting' check (status in ('waiting', 'started', 'refused', 'stopped')),
    run text,
    why text,
    tries integer not null default 0,
    done_at timestamptz,
    unique (workflow, trigger, key)
);
create index firing_waiting on console.firing (workflow, due_at, id) where status = 'waiting';
create index firing_newest on console.firing (workflow, trigger, at desc, id desc);
create index firing_done on console.firing (done_at) where done_at is not null;

-- Which version and status of a workflow its rows of `trigger` stand for; `pos` is how far the log had come when that changed: what comes after it counts.
create table console.trigger_sync (
    workflow text primary key,
    version integer,
    status text,
    pos bigint not null default 0,
    at timestamptz not null default now(),
    done boolean not null default false
);
create function console.triggers_changed() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'UPDATE' and new.live_version is not distinct from old.live_version and new.status = old.status then
        return null;
    end if;
    insert into console.trigger_sync (workflow, version, status, pos) values (new.id, new.live_version, new.status, (select coalesce(max(a.pos), 0) from console.activity a))
    on conflict (workflow) do update set version = excluded.version, status = excluded.status, pos = excluded.pos, at = now(), done = false;
    return null;
end $$;
revoke execute on function console.triggers_changed() from public;
create trigger triggers_changed after insert or update on console.workflow for each row execute function console.triggers_changed();
insert into console.trigger_sync (workflow, version, status) select id, live_version, status from console.workflow;

-- How far a collection of a user's database has been looked through by one of its columns: the last value seen, and when it was; the rows near it that were told.
create table console.source_watch (
    collection text not null,
    "column" text not null,
    mark jsonb,
    mark_at timestamptz not null default now(),
    highest jsonb,
    seen jsonb not null default '[]',
    looked_at timestamptz,
    problem text,
    primary key (collection, "column")
);
alter table console.source_watch alter column mark set statistics 0, alter column highest set statistics 0, alter column seen set statistics 0;  -- values of records

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.trigger, console.firing, console.trigger_sync, console.source_watch to console;
end $$;
