-- By when live runs are due, so that lists of work are in that order: kept by the worker, computed again once a run has begun or ended waiting.
alter table console.run add column due_at timestamptz, add column due_known boolean;
create index run_work on console.run ((coalesce(due_at, 'infinity'::timestamptz)), created_at, id) where ended_at is null;
create index run_live on console.run (team, workflow, status, holder) where ended_at is null;
create index run_due_unknown on console.run (workflow) where ended_at is null and due_known is null;

create function console.forget_due() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    new.due_known := null;
    return new;
end $$;
create trigger run_waits before update of status on console.run for each row
    when (old.status is distinct from new.status) execute function console.forget_due();
revoke execute on function console.forget_due() from public;
