-- Which records of others the values of a run were read from: `place` is the read (`collection@step.read`), `key` the record's, empty for none, `*` for those
-- that cannot be named. The row with an empty place says that the run names all that it reads; runs from before have none.
create table console.run_read (
    run text not null references console.run (id) on delete cascade,
    place text not null,
    key text not null,
    primary key (run, place, key)
);
alter table console.run_read alter column key set statistics 0;  -- keys may be personal, and no statistics outlive an erasure

-- One transition of a run (p_run is its new head) or of a chain outside runs (p_run null).
-- p_seq and p_head are number and hash of the chain's last event as the caller read them (0 and empty for a new one).
-- Answers the chain's new last number; 0 when the chain has moved since: then nothing was written.
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
            insert into console.run select r.id, r.workflow, r.version, r.status, r.revision, last, p_leaves[cardinality(p_leaves)], r.collection, r.record, r.team,
                r.subject, r.current, r.attempts, r.visits, r.holder, r.last_holder, r.active_at, r.started_by, r.waiting, r.take_over, r.automatic, r.input,
                r.reason, r.ending, r.exclusive_key, r.linked_to, r.created_at, r.ended_at, r.ticket, r.label, r.put_down_at,
                coalesce(r.trigger, 'record'), coalesce(r.worked_ms, 0);
        else
            update console.run u set status = r.status, revision = r.revision, run_seq = last, head = p_leaves[cardinality(p_leaves)], version = r.version,
                current = r.current, attempts = r.attempts, visits = r.visits, holder = r.holder, last_holder = r.last_holder, active_at = r.active_at,
                waiting = r.waiting, take_over = r.take_over, automatic = r.automatic, reason = r.reason, ending = r.ending, ended_at = r.ended_at, ticket = r.ticket,
                put_down_at = r.put_down_at, worked_ms = coalesce(r.worked_ms, 0)
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

-- A change by hand that is being written into its source; gone with the event that tells what became of it.
create table console.change_intent (
    id text primary key,
    at timestamptz not null,
    person text not null,
    actor_kind text not null,
    chain text not null,
    team text,
    collection text not null,
    effect text not null check (effect in ('updated', 'added', 'deleted')),
    request text unique,
    subject text not null,
    kid text not null,
    nonce bytea not null,
    ct bytea not null
);
create index change_intent_at on console.change_intent (at);

do $$
begin
    if not exists (select from pg_roles where rolname = 'console') or current_user = 'console' then
        return;
    end if;
    grant select, insert, delete on console.run_read to console;
    grant select, insert, update, delete on console.change_intent to console;
end $$;
