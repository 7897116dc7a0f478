-- What keeps values: a hold on the person whom they are about; and what expiry leaves to be done.

-- While it stands, nothing about this subject is erased or expires. The reason goes with the row; the log keeps it sealed.
create table console.hold (
    subject text primary key,
    collection text not null,
    record text not null,
    reason text not null,
    placed_at timestamptz not null default now()
);

-- Runs whose values were taken away and whose rows still hold them: written with the deletion, gone once the rows are made anew.
create table console.stale_run (run text primary key);

-- Takes away the values of these events, but for those under a hold, and answers which had some. A row without a value stays and says
-- why: a reader, and whoever checks an export, can tell a value that expired from one that was erased, and both from one that is lost.
create function console.expire(p_events bigint[]) returns setof bigint language sql security definer set search_path = pg_catalog, pg_temp as $$
    with gone as (
        delete from console.event_value v where v.event = any(p_events) and v.sub <> 'expired'
        and not exists (select from console.hold h where h.subject = v.sub) returning v.event
    ), told as (
        insert into console.event_value (event, sub, kid, nonce, ct) select distinct event, 'expired', '', ''::bytea, ''::bytea from gone
    )
    select distinct event from gone
$$;
revoke execute on function console.expire from public;

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, delete on console.hold, console.stale_run to console;
    grant execute on function console.expire to console;
end $$;
