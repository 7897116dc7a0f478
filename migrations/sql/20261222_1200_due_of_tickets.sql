-- A run that comes into an inbox, or leaves it, is due by another clock.
drop trigger run_waits on console.run;
create trigger run_waits before update of status, ticket on console.run for each row
    when (old.status is distinct from new.status or old.ticket is distinct from new.ticket) execute function console.forget_due();
update console.run set due_known = null where ended_at is null and ticket is not null;
