-- A run that comes into an inbox, or leaves it, is due by another clock.
drop trigger run_waits on console.run;
create trigger run_waits before update of status, ticket on console.run for each row
    when (old.status is distinct from new.status or old.ticket is distinct from new.ticket) execute function console.forget_due();
update console.run set due_known = null where ended_at is null and ticket is not null;

-- So is a run whose workflow the records of an inbox start, once the inbox says otherwise by when they are due.
create function console.forget_due_of_inbox() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update console.run r set due_at = null, due_known = null from console.workflow w
    where r.workflow = w.id and r.ended_at is null and w.slug in (old.source ->> 'workflow', new.source ->> 'workflow');
    return null;
end $$;
create trigger inbox_due after update of source, closed_at on console.inbox for each row
    when ((old.source, old.closed_at) is distinct from (new.source, new.closed_at)) execute function console.forget_due_of_inbox();
revoke execute on function console.forget_due_of_inbox() from public;
