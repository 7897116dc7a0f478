"""Runs that wait in an inbox or were taken from it, in the order in which they are worked on, as far as the actor may see them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from console import log, workflows
from console.auth import access
from console.core.actor import Actor
from console.core.moments import moment_text
from console.core.run.duties import violated_rule
from console.infra.db import tables
from console.infra.db.engine import fetch
from console.runs.engine.stepping import done_before, may_do_step
from console.runs.views.lists import RunHead, visible_pairs, visible_runs
from console.runs.views.record_reach import limited_collections, visible_records

PRIORITIES = ("urgent", "high", "normal", "low")
MOST = 10_000
"""Counts end here."""

WAITING = ("saved", "waiting_person")
_BATCH = 60


def due_end(due: str, zone: str) -> str:
    """SQL of the moment after which something is overdue: a day, which is kept as its last second in UTC, ends by the clocks of the zone."""
    return f"case when (({due}) at time zone 'UTC')::time = '23:59:59' then (({due}) at time zone 'UTC') at time zone {zone} else {due} end"


# Every run that waits in one of these inboxes, in groups of those that need the same rights; with the records of collections that have to be looked at.
_GROUPS = f"""
with served as (select * from unnest(%(inboxes)s::text[], %(workflows)s::text[]) as s (inbox, workflow)),
waiting as (
    (select r.ticket ->> 'inbox' as inbox, r.* from console.run r where r.ticket ->> 'inbox' = any(%(inboxes)s) and r.ticket is not null
     and coalesce(r.ticket ->> 'until', '') <= %(now)s and (r.label is null or r.label = any(%(cleared)s)) limit %(most)s)
    union all
    (select s.inbox, r.* from served s join console.run r on r.workflow = s.workflow
     where r.ended_at is null and r.holder is null and r.ticket is null and r.status in ('saved', 'waiting_person')
     and (r.label is null or r.label = any(%(cleared)s)) limit %(most)s)
    union all
    (select t.inbox, r.* from console.inbox_taken t join console.run r on r.id = t.run
     where t.inbox = any(%(inboxes)s) and not exists (select from served s where s.inbox = t.inbox and s.workflow = r.workflow)
     and r.ended_at is null and r.holder is null and r.ticket is null and r.status in ('saved', 'waiting_person')
     and (r.label is null or r.label = any(%(cleared)s)) limit %(most)s)
)
select w.inbox, w.team, w.workflow, w.version, w.collection, a.step, count(*)::int, array_agg(w.record) filter (where w.collection = any(%(scoped)s)),
coalesce({due_end("w.due_at", "%(zone)s")} < now(), false)
from waiting w left join console.attempt a on a.run = w.id and a.n = w.current
group by 1, 2, 3, 4, 5, 6, 9
"""  # noqa: S608 (texts of ours)


@dataclass(frozen=True, slots=True)
class Place:
    """The cursor of a list: the rank, moment and id of the last run."""

    rank: int
    at: str
    id: str


def tickets(
    actor: Actor, inbox: str, priorities: Sequence[str], *, limit: int, after: Place | None = None
) -> tuple[list[RunHead], Place | None]:
    """Runs that were escalated to the inbox and that the actor could take, by priority, the longest waiting first."""
    run = tables.run.c
    rank = sa.case(
        {name: place for place, name in enumerate(PRIORITIES)},
        value=run.ticket["priority"].astext,
        else_=len(PRIORITIES),
    )
    at = run.ticket["at"].astext
    wanted = [
        run.ticket["inbox"].astext == inbox,
        run.ticket.is_not(None),
        run.holder.is_(None),
        run.ticket["priority"].astext.in_(priorities),
        sa.func.coalesce(run.ticket["until"].astext, "") <= moment_text(log.now()),
    ]

    def later(place: Place) -> sa.ColumnElement[bool]:
        return sa.tuple_(rank, at, run.id) > sa.tuple_(
            sa.literal(place.rank), sa.literal(place.at), sa.literal(place.id)
        )

    def place_of(row: Any) -> Place:
        return Place(
            PRIORITIES.index(row.ticket["priority"])
            if row.ticket["priority"] in PRIORITIES
            else len(PRIORITIES),
            row.ticket["at"],
            row.id,
        )

    return _takeable(actor, wanted, (rank, at, run.id), later, place_of, limit, after)


def saved_runs(
    actor: Actor, inbox: str, workflow: str | None, *, limit: int, after: Place | None = None
) -> tuple[list[RunHead], Place | None]:
    """Saved or released runs of the workflow, or taken from the inbox before; the longest untouched first."""
    run = tables.run.c
    wanted = [*_nobodys(), _came_through(inbox, workflow)]

    def later(place: Place) -> sa.ColumnElement[bool]:
        return sa.tuple_(run.put_down_at, run.id) > sa.tuple_(
            sa.literal(datetime.fromisoformat(place.at)), sa.literal(place.id)
        )

    def place_of(row: Any) -> Place:
        return Place(
            0, row.active_at.isoformat(), row.id
        )  # the same as put_down_at while nobody holds the run

    return _takeable(actor, wanted, (run.put_down_at, run.id), later, place_of, limit, after)


def held_runs(
    actor: Actor,
    inbox: str,
    workflow: str | None,
    *,
    limit: int,
    holder: str | None = None,
    after: Place | None = None,
) -> tuple[list[RunHead], Place | None]:
    """Runs of the inbox that somebody holds (or only `holder`) and that the actor may see, the oldest first."""
    run = tables.run.c
    held = run.holder.is_not(None) if holder is None else run.holder == holder
    wanted: list[sa.ColumnElement[bool]] = [run.ended_at.is_(None), held, _came_through(inbox, workflow)]
    heads: list[RunHead] = []
    while len(heads) < limit:
        later = (
            [
                sa.tuple_(run.created_at, run.id)
                > sa.tuple_(sa.literal(datetime.fromisoformat(after.at)), sa.literal(after.id))
            ]
            if after
            else []
        )
        found, last = visible_runs(
            actor, *wanted, *later, order=(run.created_at, run.id), limit=limit - len(heads)
        )
        heads += found
        after = None if last is None else Place(0, last.created_at.isoformat(), last.id)
        if last is None:
            break
    return heads, after


def taken_at(run_ids: Collection[str], inbox: str) -> dict[str, datetime]:
    """Run id → when it was last taken from the inbox; runs that were not are left out."""
    rows = (
        fetch(
            "select run, at from console.inbox_taken where run = any(%s) and inbox = %s",
            (list(run_ids), inbox),
        )
        if run_ids
        else []
    )
    return {row[0]: row[1] for row in rows}


def taken_from(run_id: str) -> str | None:
    """The inbox that the run was last taken from; None if it was in none."""
    rows = fetch("select inbox from console.inbox_taken where run = %s", (run_id,))
    return rows[0][0] if rows else None


def live_keys(actor: Actor, workflow: str, collection: str, among: Sequence[str]) -> set[str]:
    """The records that have a live run of the workflow for which the actor is cleared."""
    ends = ("", *(f"|{label}" for label in access.runs(actor).cleared))
    keys = [f"{workflow}|{collection}|{key}{end}" for key in among for end in ends]
    statement = f"select r.record from {access.runs(actor).sql()} where r.exclusive_key = any(%s) and r.ended_at is null"  # noqa: S608 (a text of ours)
    rows = fetch(statement, (keys,)) if keys else []
    return {row[0] for row in rows}


def live_records(actor: Actor, workflow: str, collection: str) -> list[str]:
    """Records with a live run of the workflow for which the actor is cleared, at most `MOST` + 1."""
    rows = fetch(
        f"select r.record from {access.runs(actor).sql()} where r.workflow = %s and r.collection = %s and r.ended_at is null"  # noqa: S608 (as above)
        " and r.exclusive_key is not null limit %s",
        (workflow, collection, MOST + 1),
    )
    return [row[0] for row in rows]


def counts(actor: Actor, served: Mapping[str, str | None]) -> dict[str, tuple[int, int]]:
    """How many runs the actor could take from each inbox (id → the workflow of its records, or None), at most `MOST` + 1, and how many of them are overdue.

    One statement; for an actor with a row scope one more per collection and 400 records.
    """
    if not served:
        return {}
    scoped = limited_collections(actor)
    given = {
        "inboxes": list(served),
        "workflows": list(served.values()),
        "scoped": scoped,
        "most": MOST + 1,
        "now": moment_text(log.now()),
        "cleared": access.runs(actor).cleared,
        "zone": actor.zone,
    }
    allowed = visible_pairs(actor, "resume")
    found = dict.fromkeys(served, (0, 0))
    groups = [row for row in fetch(_GROUPS, given) if (row[1], row[2]) in allowed and _able(actor, row)]
    visible = _visible(actor, groups)
    for inbox, _, _, _, collection, _, number, keys, overdue in groups:
        shown = sum(key in visible[collection] for key in keys) if collection in visible else number
        found[inbox] = found[inbox][0] + shown, found[inbox][1] + shown * overdue
    return found


def _visible(actor: Actor, groups: Sequence[Any]) -> dict[str, set[str]]:
    """For each collection of which the actor sees only a part: the records of the groups that they see."""
    wanted: dict[str, set[str]] = {}
    for row in groups:
        if row[7] is not None:
            wanted.setdefault(row[4], set()).update(row[7])
    return visible_records(actor, wanted)


def _able(actor: Actor, row: Any) -> bool:
    _, team, workflow, number, collection, step, *_ = row
    if step is None:
        return True
    definition = workflows.readable_version(workflow, number)
    return definition is not None and may_do_step(actor, definition, team, collection, step)


def _nobodys() -> list[sa.ColumnElement[bool]]:
    """Conditions: live, held by nobody, in no inbox, and waiting for a person. Uses the index `run_put_down`."""
    run = tables.run.c
    return [run.ended_at.is_(None), run.holder.is_(None), run.ticket.is_(None), run.status.in_(WAITING)]


def _came_through(inbox: str, workflow: str | None) -> sa.ColumnElement[bool]:
    run, taken = tables.run.c, tables.inbox_taken.c
    out = run.id.in_(sa.select(taken.run).where(taken.inbox == inbox))
    return out if workflow is None else sa.or_(run.workflow == workflow, out)


def _takeable(
    actor: Actor,
    wanted: Sequence[sa.ColumnElement[bool]],
    order: Sequence[sa.ColumnElement[Any]],
    later: Any,
    place_of: Any,
    limit: int,
    after: Place | None,
) -> tuple[list[RunHead], Place | None]:
    """Runs whose step the actor could do, and the cursor after the last of them (None: the end)."""
    heads: list[RunHead] = []
    while True:
        conditions = [*wanted, later(after)] if after else wanted
        found, last = visible_runs(
            actor, *conditions, order=order, limit=max(limit - len(heads), _BATCH), act="resume"
        )
        fit = [head for head in found if head.step is None or _could(actor, head)]
        heads += fit
        if len(heads) > limit or (len(heads) == limit and last is not None):
            return heads[:limit], place_of(heads[limit - 1])
        if last is None:
            return heads, None
        after = place_of(last)


def _could(actor: Actor, head: RunHead) -> bool:
    definition, step = workflows.readable_version(head.workflow_id, head.version), head.step or ""
    if definition is None or not may_do_step(actor, definition, head.team, head.collection, step):
        return False
    rules = definition.document.step(step).not_by if step else None
    return (
        not rules
        or violated_rule(rules, done_before(head.id, rules), actor.id, starter=head.started_by) is None
    )
