-- Whoever a hands-off run about a record is about has a place in its workflow, whatever started it. A run that came by no place gives them one when it is there
-- (`of_run`): once, where several runs of a record may be live. What ends a place that people or a segment gave does not end such a one when its record is no more.
alter table console.enrolment add column of_run boolean not null default false;

create function console.give_place() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from console.enrolment e where e.workflow = new.workflow and e.who = new.collection || '|' || new.record and e.left_at is null) then
        return null;  -- they came in before their run
    end if;
    if new.parent is not null and not exists (select from console.workflow_version v
        where v.workflow = new.workflow and v.number = new.version and convert_from(v.document, 'UTF8')::jsonb ? 'run_as') then
        return null;  -- a step of another run, in a workflow that takes nobody in
    end if;
    insert into console.enrolment (id, workflow, who, collection, record, status, run, version, step, entered_by, origin, trigger, at, begun_at, left_at, ending, reason, of_run)
    select 'lead_' || substr(new.id, 5), new.workflow, new.collection || '|' || new.record, new.collection, new.record, case when r.ended_at is null then 'active' else 'left' end,
        new.id, r.version, coalesce(a.step, b.step), coalesce(b.by, 'sys_engine'), case when new.trigger in ('record', 'manual') then 'by_hand' else new.trigger end,
        new.origin ->> 'id', new.created_at, new.created_at, r.ended_at, case when r.ended_at is not null then r.status end, r.reason, true
    from console.run r left join console.attempt a on a.run = r.id and a.n = r.current left join console.attempt b on b.run = r.id and b.n = 1
    where r.id = new.id
    on conflict do nothing;
    return null;
end $$;
-- At the commit: who was let in by the same transaction has their place by then.
create constraint trigger run_gives_place after insert on console.run deferrable initially deferred for each row
    when (new.mode = 'hands_off' and new.record is not null and new.label is null and not new.test and (new.parent is null or new.exclusive_key is not null))
    execute function console.give_place();

insert into console.enrolment (id, workflow, who, collection, record, status, run, version, step, entered_by, origin, trigger, at, begun_at, of_run)
select 'lead_' || substr(r.id, 5), r.workflow, r.collection || '|' || r.record, r.collection, r.record, 'active', r.id, r.version, coalesce(a.step, b.step),
    coalesce(b.by, 'sys_engine'), case when r.trigger in ('record', 'manual') then 'by_hand' else r.trigger end, r.origin ->> 'id', r.created_at, r.created_at, true
from console.run r left join console.attempt a on a.run = r.id and a.n = r.current left join console.attempt b on b.run = r.id and b.n = 1
where r.ended_at is null and r.mode = 'hands_off' and r.record is not null and r.label is null and not r.test
    and (r.parent is null or (r.exclusive_key is not null and exists (select from console.workflow_version v
        where v.workflow = r.workflow and v.number = r.version and convert_from(v.document, 'UTF8')::jsonb ? 'run_as')))
order by r.id on conflict do nothing;

revoke execute on function console.give_place() from public;
