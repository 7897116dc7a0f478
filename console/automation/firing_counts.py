"""How often the triggers of a workflow fired in a period, what came of it, and why nothing did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console import workflows
from console.core.actor import Actor
from console.db.engine import fetch

MOST = 200
"""Kinds of outcomes of one workflow, the most frequent first."""
_COUNTED = """
select f.trigger, f.status, coalesce(f.why, ''), count(*) from console.firing f
where f.workflow = %s and f.at >= %s and f.at < %s group by 1, 2, 3 order by 4 desc limit %s
"""


@dataclass(frozen=True, slots=True)
class FiringCount:
    """So many firings of a trigger ended alike. `status` is waiting, started, refused or stopped; `why` is empty where a run was started."""

    trigger: str
    status: str
    why: str
    count: int


def counted(actor: Actor, slug_or_id: str, since: datetime, until: datetime) -> Sequence[FiringCount]:
    """The firings from `since` to before `until`, in one statement. Raises NotFound for a workflow that the actor may not see."""
    known = workflows.entry(actor, slug_or_id)
    return [FiringCount(*row) for row in fetch(_COUNTED, (known.id, since, until, MOST))]
