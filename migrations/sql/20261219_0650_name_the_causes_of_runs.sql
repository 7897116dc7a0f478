-- What caused a run, link by link; null for runs of before, whose causes are found in the log when they are asked for.
alter table console.run add column caused_by jsonb;
alter table console.run alter column caused_by set statistics 0;
alter table console.enrolment add column caused_by jsonb;
alter table console.enrolment alter column caused_by set statistics 0;
alter table console.waking add column caused_by jsonb;
alter table console.waking alter column caused_by set statistics 0;

-- The same as before, with the causes of a run that something else let go on.
create or replace function console.transition(
    p_chain text, p_seq integer, p_head bytea, p_leaves bytea[], p_bodies bytea[], p_sub text, p_kid text, p_nonces bytea[], p_cts bytea[],
    p_run jsonb, p_attempts jsonb, p_context jsonb, p_effects jsonb, p_shown jsonb, p_request text
) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$  -- the caller's path reaches into nothing here
declare
    last integer := p_seq + cardinality(p_bodies);
    r console.run;
    line pg_catalog.xid8;  -- the caller's temporary types come before all others
    event_id bigint;
begin
    if p_run is null then
        if p_seq = 0 then
            insert into console.chain values (p_chain, last, p_leaves[cardinality(p_leaves)]) on conflict do nothing;
        else
            update console.chain set seq = last, head = p_leaves[cardinality(p_leaves)] where id = p_chain and seq = p_seq and head = p_head;
        end if;
        if not found then
            return 0;
        end if;
    else
        r := jsonb_populate_record(null::console.run, p_run);
        if p_seq = 0 then
            r.run_seq := last;
            r.head := p_leaves[cardinality(p_leaves)];
            r.trigger := coalesce(r.trigger, 'record');
            r.worked_ms := coalesce(r.worked_ms, 0);
            r.mode := coalesce(r.mode, 'guided');
            r.test := coalesce(r.test, false);
            insert into console.run select (r).*;
        else
            update console.run u set status = r.status, revision = r.revision, run_seq = last, head = p_leaves[cardinality(p_leaves)], version = r.version,
                current = r.current, attempts = r.attempts, visits = r.visits, holder = r.holder, last_holder = r.last_holder, active_at = r.active_at,
                waiting = r.waiting, take_over = r.take_over, automatic = r.automatic, reason = r.reason, ending = r.ending, ended_at = r.ended_at, ticket = r.ticket,
                put_down_at = r.put_down_at, worked_ms = coalesce(r.worked_ms, 0), caused_by = coalesce(r.caused_by, u.caused_by)
            where u.id = p_chain and u.run_seq = p_seq and u.head = p_head;
            if not found then
                return 0;
            end if;
        end if;
        if p_run ? 'left_inbox' then
            insert into console.inbox_taken values (r.id, p_run->>'left_inbox', r.active_at)
            on conflict (run) do update set inbox = excluded.inbox, at = excluded.at;
        end if;
        if p_attempts is not null then
            insert into console.attempt select * from jsonb_populate_recordset(null::console.attempt, p_attempts)
            on conflict (run, n) do update set status = excluded.status, completed_at = excluded.completed_at, by = excluded.by, outcome = excluded.outcome,
                "values" = excluded."values", output = excluded.output, handled_manually = excluded.handled_manually,
                revised = excluded.revised, defaults = excluded.defaults, errors = excluded.errors, proposal = excluded.proposal;
            delete from console.draft d where d.run = p_chain and d.n is distinct from (p_run->>'keep_draft')::integer;
        end if;
        if p_context is not null then
            if p_run ? 'forgotten' then
                delete from console.run_context c where c.run = p_chain and p_run->'forgotten' ? c.step;
            end if;
            insert into console.run_context select p_chain, e.key, e.value from jsonb_each(p_context) e
            on conflict (run, step) do update set output = excluded.output;
        end if;
        if p_effects is not null then
            insert into console.effect select * from jsonb_populate_recordset(null::console.effect, p_effects)
            on conflict (id) do update set status = excluded.status, result = excluded.result, settled_at = excluded.settled_at;
        end if;
        if p_run ? 'approvals' then
            insert into console.approval select * from jsonb_populate_recordset(null::console.approval, p_run->'approvals')
            on conflict (id) do update set status = excluded.status, wishes = excluded.wishes, decided = excluded.decided;
        end if;
        if p_run ? 'loaded' then
            insert into console.run_read select r.id, e.value->>0, e.value->>1 from jsonb_array_elements(p_run->'loaded') e on conflict do nothing;
        end if;
        if p_shown is not null then
            insert into console.shown (run, n, person, digest, screen, run_seq)
            values (p_chain, (p_shown->>'n')::integer, p_shown->>'person', decode(p_shown->>'digest', 'hex'), p_shown->'screen', last)
            on conflict (run, n, person) do update set digest = excluded.digest, screen = excluded.screen, run_seq = excluded.run_seq;
        end if;
    end if;
    -- The transaction id is never lower than that of the chain's previous event: without it event n+1 could get a place before event n.
    select greatest(pg_current_xact_id(), (select l.xid from console.log_pending l where l.run = p_chain and l.run_seq = p_seq)) into line;
    for i in 1 .. cardinality(p_bodies) loop
        insert into console.event (run, run_seq, leaf, body) values (p_chain, p_seq + i, p_leaves[i], p_bodies[i]) returning id into event_id;
        insert into console.log_pending (id, run, run_seq, xid) values (event_id, p_chain, p_seq + i, line);
        if p_cts[i] is not null then
            insert into console.event_value (event, sub, kid, nonce, ct) values (event_id, p_sub, p_kid, p_nonces[i], p_cts[i]);
        end if;
    end loop;
    if p_request is not null then
        insert into console.request_done (key, chain, seq) values (p_request, p_chain, last);
    end if;
    return last;
end $$;
