"""What caused a run, and what it passes on to whatever it causes in turn. Of runs of before this was kept, the log tells it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from console import log, records, workflows
from console.auth import access
from console.core.actor import Actor
from console.core.run import Run
from console.core.run.causes import (
    OUTSIDE,
    Cause,
    CauseKind,
    Causes,
    bounded,
    causes_from_json,
    people_in,
    run_depth,
)
from console.infra.db.engine import fetch
from console.infra.db.run_reach import EVERY_RUN

_CAUSES = f"""
select r.id, r.workflow, r.record, r.caused_by, array(
    select a.by from console.attempt a where a.run = r.id and a.by is not null and a.n <= coalesce(
        t.n, (select b.n from console.attempt b where b.run = r.id and b.step = t.step and b.attempt = t.attempt), r.attempts)
    group by a.by order by max(a.n) desc)
from unnest(%s::text[], %s::text[], %s::int[], %s::int[]) with ordinality as t (run, step, attempt, n, place)
left join {EVERY_RUN.sql()} on r.id = t.run order by t.place
"""  # noqa: S608 (a text of ours)
_FIRST = f"""
select r.parent, r.linked_to, r.origin -> 'event', (select e.entered_by from console.enrolment e where e.run = r.id and e.trigger is null limit 1),
    (select e.body from console.event e where e.run = r.id and e.run_seq = 1)
from {EVERY_RUN.sql()} where r.id = %s
"""  # noqa: S608 (a text of ours)
_OWNERS = """
select distinct person from console.api_key where created_at <= %(at)s and coalesce(revoked_at > %(at)s, true) and last_used_at >= %(at)s - interval '2 minutes'
"""
"""Whose key may have been used at a moment: when it was used last is written at most once a minute."""
_CHANGED = """
with told as (
    select a.pos, e.body from console.activity a join console.event e on e.id = a.event
    where a.kind = 'record_changed' and a.collection = %(collection)s and a.record = any(%(records)s) and a.at between %(since)s and %(until)s
    union all
    select null, e.body from console.log_pending p join console.event e on e.run = p.run and e.run_seq = p.run_seq where p.run not like 'run\\_%%'
)
select t.pos, t.body from (select pos, convert_from(body, 'UTF8')::jsonb as body from told) t
where t.body ->> 'type' = 'record_changed' and t.body #>> '{target,coll}' = %(collection)s and t.body #>> '{target,key}' = any(%(records)s)
order by t.pos desc nulls first
"""
"""By hand, by page, program or import; also what has no place in the log yet."""
_CHANGING = "select distinct person from console.change_intent where collection = %s"
_SECRETS = """
select distinct a.actor from console.activity a join console.event e on e.id = a.event
cross join lateral (select convert_from(e.body, 'UTF8')::jsonb #> '{data,open}' as told) as t
join unnest(%s::text[], %s::text[]) as s (workflow, trigger) on s.workflow = t.told ->> 'workflow' and s.trigger = t.told ->> 'trigger'
where a.kind = 'trigger_changed' and t.told ->> 'change' = any(array['added', 'secret']) and starts_with(a.actor, 'usr_')
"""
DEEPEST = 8
CHANGED_WITHIN = timedelta(minutes=5)
"""A change that is found in a database so soon after one by hand, or by a run, counts as that one."""


class Place(NamedTuple):
    """Where a run led to something: at an attempt of a step, at its attempt number `n`; with neither, anywhere until now."""

    run: str
    step: str | None = None
    attempt: int | None = None
    n: int | None = None


def passed_on(run: Run) -> Causes:
    """What caused whatever the run causes at its present step."""
    return causes_passed_on([Place(run.id, n=run.current)])[0]


def causes_passed_on(places: Sequence[Place]) -> list[Causes]:
    """For each place what caused whatever the run caused there: itself, everybody who did a step of it until then, and its own causes. One statement."""
    rows = fetch(_CAUSES, tuple(map(list, zip(*places, strict=True)))) if places else []
    return [_through(*row) if row[0] is not None else () for row in rows]


def _through(
    run_id: str,
    workflow: str,
    record: str | None,
    kept: Sequence[Mapping[str, Any]] | None,
    people: Sequence[str],
) -> Causes:
    causes = causes_from_json(kept) or _of_log(run_id)
    own = Cause(
        "run",
        person=next(iter(people), None),
        run=run_id,
        workflow=workflow,
        record=record,
        depth=run_depth(causes) + 1,
    )
    others = [person for person in people[1:] if person not in people_in(causes)]
    return (own, *(Cause("person", person=person, run=run_id) for person in others), *causes)


def causes_of(run: Run) -> Causes:
    """What caused the run; of an old one as far as the log tells, and empty where it does not."""
    return run.caused_by or _of_log(run.id)


def cause_of_event(body: Mapping[str, Any], kind: CauseKind | None = None, pos: int | None = None) -> Cause:
    """The link of who wrote an event of the log: a person or a key; else it was made outside. `kind` None: as they acted."""
    actor = body["actor"]
    if actor["kind"] not in ("user", "key"):
        return replace(OUTSIDE, event=pos)
    by_key = actor["kind"] == "key"
    return Cause(
        kind or ("key" if by_key else "person"),
        person=actor["id"],
        key=actor["session"] if by_key else None,
        event=pos,
    )


def causes_shown_to(actor: Actor, run: Run) -> list[dict[str, Any]]:
    """What caused the run, the nearest first; with the addresses of clients for who may read the activity log."""
    addresses: Mapping[str, str] = {}
    if run.caused_by and access.can(actor, run.team or None, "activity", "read"):
        addresses = log.events_of(run.id, limit=1)[0].values.get("addresses") or {}
    return [cause.to_json(addresses.get(str(place))) for place, cause in enumerate(causes_of(run))]


def changes_by_hand(
    collection: str, keys: Collection[str], since: datetime, until: datetime | None = None
) -> dict[str, Causes]:
    """Key → who changed the record by hand between these moments, the latest first; of those that somebody did.

    Whoever is changing a record of the collection at this moment counts for each of them: the log has the record afterwards.
    """
    references = {records.reference_in_log(collection, key): key for key in keys}
    parameters = {
        "collection": collection,
        "records": sorted(filter(None, references)),
        "since": since,
        "until": until or log.now() + CHANGED_WITHIN,
    }
    changing = (
        tuple(Cause("change", person=person) for (person,) in fetch(_CHANGING, (collection,)))
        if until is None
        else ()
    )
    found: dict[str, Causes] = dict.fromkeys(keys, changing) if changing else {}
    for pos, body in fetch(_CHANGED, parameters):
        key = references[body["target"]["key"]]
        cause = cause_of_event(body, "change", pos)
        if cause.person not in people_in(found.get(key, ())):
            found[key] = (*found.get(key, ()), cause)
    return found


def makers_of_secrets(run: Run, causes: Causes) -> frozenset[str]:
    """Who was shown a secret with which a delivery that led to the run could be signed."""
    signed = {
        (cause.workflow or run.workflow, cause.trigger)
        for cause in causes
        if cause.kind == "delivery" and cause.signed
    }
    return (
        frozenset(person for (person,) in fetch(_SECRETS, tuple(map(list, zip(*signed, strict=True)))))
        if signed
        else frozenset()
    )


def people_who_may_have(run: Run) -> frozenset[str]:
    """Who may have caused a run of which the log does not tell: its starter, and for a webhook with a key all who had one then."""
    signed = {
        each.id for each in workflows.version(run.workflow, run.version).document.triggers if each.signed
    }
    by_key = run.trigger == "webhook" and (run.origin or {}).get("id") not in signed
    owners = fetch(_OWNERS, {"at": run.created_at}) if by_key else []
    return frozenset({run.started_by, *(person for (person,) in owners)})


def _of_log(run_id: str, depth: int = 0) -> Causes:
    """What the log tells of an old run: who wrote its first event, or what that names as its beginning."""
    rows = fetch(_FIRST, (run_id,)) if depth < DEEPEST else []
    if not rows:
        return ()
    parent, former, event, entered_by, body = rows[0]
    first = orjson.loads(body)
    trigger = first["data"]["open"].get("trigger")
    links = [cause_of_event(first)] if first["actor"]["kind"] in ("user", "key") else []
    links += [Cause("person", person=entered_by)] if (entered_by or "").startswith("usr_") else []
    links += (
        [Cause("schedule", trigger=(first["data"]["open"].get("origin") or {}).get("id"))]
        if trigger == "schedule"
        else []
    )
    if trigger == "event" and event:
        links += _of_trigger_event(event, depth)
    for other in filter(None, (parent, former)):
        links += [Cause("run", run=other), *_of_log(other, depth + 1)]
    return bounded(links)


def _of_trigger_event(event: Mapping[str, Any], depth: int) -> Causes:
    """The links of what a trigger was told: who did it, and in which run; else who changed the record by hand at that time."""
    kind: CauseKind = "tag" if str(event.get("on")).startswith("tag.") else "change"
    links = (Cause(kind, person=event["by"]),) if str(event.get("by")).startswith("usr_") else ()
    if event.get("run"):
        return (*links, Cause("run", run=event["run"]), *_of_log(event["run"], depth + 1))
    if links or not event.get("record"):
        return links or (OUTSIDE,)
    at = datetime.fromisoformat(event["at"])
    by_hand = changes_by_hand(
        event["collection"], [event["record"]], at - CHANGED_WITHIN, at + CHANGED_WITHIN
    )
    return by_hand.get(event["record"], (OUTSIDE,))
