"""The life of a workflow: draft, active, paused, completed, cancelled; and archived, which hides it and keeps its runs.

Active: runs start. Paused: none starts, and timers that come due wait for the resumption. Completed: none starts, the live ones end by themselves.
Cancelled: none starts, and `console.runs.end_cancelled` ends the live ones.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from console.core.errors import Conflict, Invalid
from console.infra.db.engine import fetch
from console.workflows.queries import all_known
from console.workflows.versions import Definition

STATUSES = ("draft", "active", "paused", "completed", "cancelled")
ARCHIVED = "archived"
"""What lists of archived workflows are asked for by; it is no status."""
SPOKEN: Mapping[str, str] = MappingProxyType({"running": "active"})
"""What else a status is called by those who send it."""
FROM: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "active": ("draft", "paused", "completed", "cancelled"),
        "paused": ("active",),
        "completed": ("active", "paused"),
        "cancelled": ("active", "paused", "completed"),
    }
)
"""Status → those that it can follow."""
KINDS = (
    "workflow_activated",
    "workflow_paused",
    "workflow_resumed",
    "workflow_completed",
    "workflow_cancelled",
    "workflow_published",
)
MOST_SWITCHES = 200
LONGEST_REASON = 2000
_SWITCHES = """
select s.at, coalesce(s.open ->> 'status', 'active'), case when s.open ? 'status' then s.open ->> 'former' else 'draft' end, s.actor from (
    select a.pos, a.at, a.actor, convert_from(e.body, 'UTF8')::jsonb #> '{data,open}' as open
    from console.activity a join console.event e on e.id = a.event where a.kind = any(%s)) s
where s.open ->> 'workflow' = %s and (s.open ? 'status' or s.open ->> 'version' = '1') order by s.pos desc limit %s
"""
"""The first version that is published is active with it."""


class Switch(NamedTuple):
    """A workflow got the status `status` at this moment; `former` is the one that it had, `by` who switched it."""

    at: datetime
    status: str
    former: str
    by: str | None = None


def switches(workflow_id: str) -> Sequence[Switch]:
    """The newest changes of its status, the oldest of them first."""
    return [Switch(*row) for row in reversed(fetch(_SWITCHES, (list(KINDS), workflow_id, MOST_SWITCHES)))]


def may_start(definition: Definition) -> str | None:
    """Why no run of the workflow can start now, as a sentence; None if one can, as those that try a draft may. What keeps a run is looked at now, what lets it is at most a second old."""
    known = next((entry for entry in all_known() if entry.id == definition.id), None)
    if known is None or known.status == "active" or (definition.number < 0 and not known.archived):
        return None
    now = fetch(
        "select status, archived_at is not null from console.workflow where id = %s", (definition.id,)
    )
    status, archived = now[0] if now else (known.status, known.archived)
    if status == "active" or (definition.number < 0 and not archived):  # activated within this second
        return None
    if archived:
        return f"{definition.title} is archived: no run starts until somebody activates it."
    words = "a draft" if status == "draft" else status
    return f"{definition.title} is {words}: no run starts until somebody activates it."


def require_active(definition: Definition) -> None:
    """Raise Conflict `not_active` if no run can start."""
    if (reason := may_start(definition)) is not None:
        raise Conflict(reason, code="not_active")


def paused(definition: Definition) -> bool:
    """Whether the workflow is paused, at most a second old. Timers of its runs wait until it is activated again."""
    return any(entry.id == definition.id and entry.status == "paused" for entry in all_known())


def cancelled(definition: Definition) -> bool:
    """Whether the workflow is cancelled, at most a second old. Its live runs do nothing more until they are ended."""
    return any(entry.id == definition.id and entry.status == "cancelled" for entry in all_known())


def require_reason(reason: str) -> str:
    """The reason without spaces around it. Raises Invalid if there is none, or it is too long."""
    why = reason.strip()
    if not why or len(why) > LONGEST_REASON or "\x00" in why:
        raise Invalid(
            "A reason is needed.",
            at=(
                "reason",
                f"Say why in at most {LONGEST_REASON:,} characters, without control characters; it is kept in the log.",
            ),
        )
    return why
