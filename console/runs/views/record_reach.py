"""Which runs a reader may count, by the records that they are about. For lists of runs, see `lists`."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa

from console import records, workflows
from console.auth import access, accounts
from console.core.actor import Actor
from console.core.errors import ConsoleError
from console.infra.db import tables
from console.infra.db.engine import read_rows
from console.runs.views.lists import visible_pairs

MOST_COUNTED = 20_000
"""The newest so many runs are counted for a reader who sees only a part of their records."""


def countable_runs(actor: Actor, *wanted: sa.ColumnElement[bool], act: str = "see") -> sa.ColumnElement[bool]:
    """The condition on `console.run` that it meets `wanted` and that the actor may count it: they may see it and may `act` on it in its team and workflow,
    are cleared for its label, and see its record.

    No statement; for an actor who sees only a part of the records one, and those to the sources: then the newest `MOST_COUNTED` runs about such records count.
    """
    run, pairs = tables.run.c, visible_pairs(actor)
    if act != "see":
        pairs &= visible_pairs(actor, act)
    if not pairs:
        return sa.false()
    allowed = sa.and_(
        *wanted, sa.tuple_(run.team, run.workflow).in_(sorted(pairs)), access.cleared_for(actor, run.label)
    )
    limited = limited_collections(actor)
    if not limited:
        return allowed
    about = sa.select(run.id, run.collection, run.record).where(allowed, run.collection.in_(limited))
    newest = read_rows(about.order_by(run.created_at.desc()).limit(MOST_COUNTED))
    seen = sa.literal(
        countable(actor, [(row.id, row.collection, row.record) for row in newest]), sa.ARRAY(sa.Text)
    )
    hashed = sa.select(
        sa.func.unnest(seen)
    )  # `= any(…)` of a prepared statement compares each run with each of them: minutes for many
    return sa.and_(
        allowed, sa.or_(run.collection.is_(None), run.collection.not_in(limited), run.id.in_(hashed))
    )


def live_counts(actor: Actor) -> dict[str, int]:
    """Workflow id → number of its live runs that the actor may count."""
    run = tables.run.c
    counted = sa.select(run.workflow, sa.func.count()).where(countable_runs(actor, run.ended_at.is_(None)))
    return {row[0]: row[1] for row in read_rows(counted.group_by(run.workflow))}


def live_versions(actor: Actor, workflow_id: str) -> list[tuple[int, int, int]]:
    """(version, live runs, saved ones among them) of a workflow, as `live_counts`, the newest version first; without those that try a draft."""
    run = tables.run.c
    live = countable_runs(actor, run.workflow == workflow_id, run.ended_at.is_(None), run.version > 0)
    counted = sa.select(run.version, sa.func.count(), sa.func.count().filter(run.status == "saved")).where(
        live
    )
    return [
        (row[0], row[1], row[2])
        for row in read_rows(counted.group_by(run.version).order_by(run.version.desc()))
    ]


def held_by_colleagues(actor: Actor) -> list[tuple[str, str, int, datetime]]:
    """(id, name, number of live runs in hand, since when the oldest) of people who hold runs that the actor may count, those with most first; at most
    10,000 runs are counted.
    """
    run, number = tables.run.c, sa.func.count()
    live = countable_runs(actor, run.ended_at.is_(None), run.holder.is_not(None))
    held = sa.select(run.holder, run.created_at).where(live).limit(10_000).subquery()
    counted = sa.select(held.c.holder, number, sa.func.min(held.c.created_at)).group_by(held.c.holder)
    rows = read_rows(counted.order_by(number.desc(), held.c.holder).limit(8))
    names = accounts.names({row[0] for row in rows})
    return [(row[0], names[row[0]], row[1], row[2]) for row in rows if row[0] in names]


def limited_collections(actor: Actor) -> list[str]:
    """Collections with workflows of which the actor sees only a part of the records."""
    about = {known.collection for known in workflows.all_known() if known.collection}
    return sorted(name for name in about if not access.scope_for(actor, name, "read").unlimited)


def visible_records(actor: Actor, wanted: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    """For each collection the keys that the actor sees, in one statement for 400 of them."""
    found: dict[str, set[str]] = {}
    for collection, keys in wanted.items():
        try:
            found[collection] = records.visible_keys(
                collection, sorted(keys), access.scope_for(actor, collection, "read")
            )
        except ConsoleError:
            found[collection] = set()  # the source is down: for actors with a scope these are not counted
    return found


def countable(actor: Actor, runs: Iterable[tuple[str, str | None, str | None]]) -> list[str]:
    """The ids of the runs (id, collection, record) whose records the actor sees; a run about no record counts."""
    every = list(runs)
    limited = set(limited_collections(actor))
    wanted: dict[str, set[str]] = {}
    for _, collection, key in every:
        if collection in limited and key is not None:
            wanted.setdefault(str(collection), set()).add(key)
    visible = visible_records(actor, wanted)
    return [
        run
        for run, collection, key in every
        if collection not in limited or key in visible.get(str(collection), ())
    ]
