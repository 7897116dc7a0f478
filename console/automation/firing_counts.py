"""How often the triggers of a workflow fired in a period, what came of it, and why nothing did; for a reader only what is about records that they may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console import workflows
from console.core.actor import Actor
from console.db.engine import fetch
from console.runs.showing import record_reach

MOST = 200
"""Kinds of outcomes of one workflow, the most frequent first."""
_COUNTED = """
select f.trigger, f.status, coalesce(f.why, ''), count(*) from console.firing f
where f.workflow = %(workflow)s and f.at >= %(since)s and f.at < %(until)s and {seen} group by 1, 2, 3 order by 4 desc limit %(most)s
"""
_ABOUT = """
select f.collection, f.record from console.firing f where f.workflow = %s and f.collection = any(%s) and f.record is not null order by f.at desc limit %s
"""
_SEEN = """(f.record is null or not f.collection = any({0}limited{1})
    or (f.collection, f.record) in (select * from unnest(cast({0}collections{1} as text[]), cast({0}records{1} as text[]))))"""


@dataclass(frozen=True, slots=True)
class FiringCount:
    """So many firings of a trigger ended alike. `status` is waiting, started, refused or stopped; `why` is empty where a run was started."""

    trigger: str
    status: str
    why: str
    count: int


def counted(actor: Actor, slug_or_id: str, since: datetime, until: datetime) -> Sequence[FiringCount]:
    """The firings from `since` to before `until`. Raises NotFound for a workflow that the actor may not see."""
    known = workflows.entry(actor, slug_or_id)
    condition, given = seen(actor, known.id, "%(", ")s")
    period = {"workflow": known.id, "since": since, "until": until, "most": MOST}
    return [FiringCount(*row) for row in fetch(_COUNTED.format(seen=condition), period | given)]


def seen(actor: Actor, workflow_id: str, *marks: str) -> tuple[str, dict[str, list[str]]]:
    """(condition on a firing `f` that the actor may see its record, its parameters, written between these marks). No statement for who sees all records; for others
    one, and one to the sources: then the newest `MOST_COUNTED` firings count.
    """
    limited = record_reach.limited_collections(actor)
    if not limited:
        return "true", {}
    wanted: dict[str, set[str]] = {}
    for collection, record in fetch(_ABOUT, (workflow_id, limited, record_reach.MOST_COUNTED)):
        wanted.setdefault(collection, set()).add(record)
    pairs = [(collection, key) for collection, keys in record_reach.visible_records(actor, wanted).items() for key in sorted(keys)]
    return _SEEN.format(*marks), {"limited": limited, "collections": [pair[0] for pair in pairs], "records": [pair[1] for pair in pairs]}
