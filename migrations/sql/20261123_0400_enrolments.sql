-- Who is in which workflow: one row for each place. A row that waits has no run yet. `who` names whoever may be in the workflow once at a time: a record, or a
-- keyed digest of a lead's telephone number or address. `ct` are the values that came with them, under the key of `subject`.
create table console.enrolment (
    id text primary key,
    workflow text not null,
    who text not null,
    collection text,
    record text,
    subject text,
    kid text,
    nonce bytea,
    ct bytea,
    status text not null check (status in ('waiting', 'active', 'left', 'refused')),
    run text,
    version integer,
    step text,
    tries integer not null default 0,
    due_at timestamptz,
    entered_by text not null,
    origin text not null,
    trigger text,
    key text,
    batch text,
    line bigint,
    at timestamptz not null,
    begun_at timestamptz,
    left_at timestamptz,
    ending text,
    reason text
);
create unique index enrolment_once on console.enrolment (workflow, who) where left_at is null;
create unique index enrolment_key on console.enrolment (workflow, key) where key is not null;
create unique index enrolment_run on console.enrolment (run) where run is not null;
create index enrolment_former on console.enrolment (workflow, who, left_at) where left_at is not null;
create index enrolment_record on console.enrolment (collection, record) where left_at is null;
create index enrolment_status on console.enrolment (workflow, status, id);
create index enrolment_here on console.enrolment (workflow, id) where left_at is null;
create index enrolment_step on console.enrolment (workflow, step, id) where left_at is null;
create index enrolment_version on console.enrolment (workflow, version, id) where left_at is null;
create index enrolment_begun on console.enrolment (workflow, begun_at) where begun_at is not null;
create index enrolment_of_batch on console.enrolment (batch, line) where batch is not null;
create index enrolment_subject on console.enrolment (subject) where subject is not null;
alter table console.enrolment alter column record set statistics 0, alter column who set statistics 0;  -- keys may be personal

-- How many are where, as differences: whoever changes rows adds lines here and waits for nobody; `console.fold_enrolment_counts` makes them few again.
create table console.enrolment_count (
    id bigint generated always as identity primary key,
    workflow text not null,
    version integer,
    step text,
    status text not null,
    n bigint not null
);
create index enrolment_count_workflow on console.enrolment_count (workflow);

create function console.count_enrolments() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'INSERT' then
        insert into console.enrolment_count (workflow, version, step, status, n)
        select e.workflow, e.version, e.step, e.status, count(*) from entered e group by e.workflow, e.version, e.step, e.status;
    elsif tg_op = 'DELETE' then
        insert into console.enrolment_count (workflow, version, step, status, n)
        select e.workflow, e.version, e.step, e.status, -count(*) from gone e group by e.workflow, e.version, e.step, e.status;
    else
        insert into console.enrolment_count (workflow, version, step, status, n)
        select d.workflow, d.version, d.step, d.status, sum(d.n) from (
            select e.workflow, e.version, e.step, e.status, -1 as n from gone e
            union all select e.workflow, e.version, e.step, e.status, 1 from entered e
        ) d group by d.workflow, d.version, d.step, d.status having sum(d.n) <> 0;
    end if;
    return null;
end $$;
create trigger enrolment_entered after insert on console.enrolment referencing new table as entered
    for each statement execute function console.count_enrolments();
create trigger enrolment_moved after update on console.enrolment referencing old table as gone new table as entered
    for each statement execute function console.count_enrolments();
create trigger enrolment_gone after delete on console.enrolment referencing old table as gone
    for each statement execute function console.count_enrolments();

-- The lines of each workflow that has many become one for each place; answers how many lines went.
create function console.fold_enrolment_counts(p_most integer) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    folded integer;
begin
    with many as (
        select c.workflow from console.enrolment_count c group by c.workflow having count(*) > p_most
    ), lines as (
        delete from console.enrolment_count c using many where c.workflow = many.workflow returning c.workflow, c.version, c.step, c.status, c.n
    ), kept as (
        insert into console.enrolment_count (workflow, version, step, status, n)
        select l.workflow, l.version, l.step, l.status, sum(l.n) from lines l group by l.workflow, l.version, l.step, l.status having sum(l.n) <> 0
    )
    select count(*) into folded from lines;
    return folded;
end $$;

-- Takes over where the runs of the next `p_limit` events of the log stand into the rows of who is enrolled; answers how many events it read. One at a time.
create function console.follow_enrolled_runs(p_limit integer) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    since bigint;
    upto bigint;
    events integer;
begin
    if not pg_try_advisory_xact_lock(hashtext('console.follow_enrolled_runs')) then
        return 0;
    end if;
    select v.number into since from console.version v where v.name = 'enrolled_runs_read';
    select max(a.pos), count(*) into upto, events from (select b.pos from console.activity b where b.pos > since order by b.pos limit p_limit) a;
    if events = 0 then
        return 0;
    end if;
    update console.enrolment e set
        version = r.version, step = coalesce(a.step, e.step), ending = case when r.ended_at is not null then r.status end,
        status = case when r.ended_at is null then 'active' else 'left' end, left_at = r.ended_at, reason = r.reason
    from console.run r left join console.attempt a on a.run = r.id and a.n = r.current
    where e.run = r.id and e.left_at is null
        and r.id = any(array(select distinct b.run from console.activity b where b.pos > since and b.pos <= upto and starts_with(b.run, 'run_')))
        and (e.version, e.step, e.left_at) is distinct from (r.version, coalesce(a.step, e.step), r.ended_at);
    update console.version v set number = upto where v.name = 'enrolled_runs_read';
    return events;
end $$;

-- Many who are enrolled at once: what was asked for (under the key of who asked), how far it is, and who was not taken in, with why.
create table console.enrolment_batch (
    id text primary key,
    workflow text not null,
    person text not null,
    origin text not null,
    preview boolean not null,
    subject text not null,
    kid text not null,
    nonce bytea not null,
    ct bytea not null,
    folder text,
    status text not null check (status in ('running', 'done', 'cancelled', 'failed')),
    why text not null default '',
    total bigint,
    done bigint not null default 0,
    place bytea,
    enrolled bigint not null default 0,
    already_enrolled bigint not null default 0,
    refused bigint not null default 0,
    created_at timestamptz not null,
    ended_at timestamptz
);
create index enrolment_batch_workflow on console.enrolment_batch (workflow, created_at desc);

create table console.enrolment_answer (
    batch text not null references console.enrolment_batch (id) on delete cascade,
    line bigint not null,
    record text,
    status text not null check (status in ('already_enrolled', 'refused')),
    reasons jsonb not null,
    primary key (batch, line)
);
create index enrolment_answer_status on console.enrolment_answer (batch, status, line);
alter table console.enrolment_answer alter column record set statistics 0, alter column reasons set statistics 0;  -- reasons may say what was sent

insert into console.version (name, number) select 'enrolled_runs_read', coalesce(max(pos), 0) from console.activity;
insert into console.version (name, number) select 'enrolled_exits_read', coalesce(max(pos), 0) from console.activity;

revoke execute on function console.count_enrolments(), console.fold_enrolment_counts(integer), console.follow_enrolled_runs(integer) from public;
do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, update, delete on console.enrolment, console.enrolment_batch, console.enrolment_answer to console;
    grant select, insert, delete on console.enrolment_count to console;
    grant execute on function console.fold_enrolment_counts(integer), console.follow_enrolled_runs(integer) to console;
end $$;
