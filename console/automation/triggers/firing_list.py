"""The firings of one workflow in a period, one by one: which started a run, which wait, and why the others did not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console import workflows
from console.auth import access
from console.automation.triggers import firing_counts
from console.core.actor import Actor
from console.core.list_addresses import cursor_of, one_of
from console.infra.db.engine import fetch

STATES: Mapping[str, Sequence[str]] = {
    "not": ("refused", "stopped"),
    "started": ("started",),
    "waiting": ("waiting",),
}
MOST = 50
_FOUND = """
select f.trigger, f.at, f.status, r.id, case when e.run is null then f.why end, f.collection, f.record, f.id from {fired} t cross join lateral (
    select * from console.firing f where f.workflow = %(workflow)s and f.trigger = t.id and f.at >= %(since)s and f.at < %(until)s and {seen}
    and f.status = any(%(statuses)s) and (%(at)s::timestamptz is null or (f.at, f.id) < (%(at)s, %(id)s)) order by f.at desc, f.id desc limit %(most)s
) f left join console.enrolment e on f.run is null and e.workflow = f.workflow and e.key = f.id left join {runs} on r.id = coalesce(f.run, e.run)
order by f.at desc, f.id desc limit %(most)s
"""


@dataclass(frozen=True, slots=True)
class FiringLine:
    """A firing: `at` is when it happened (aware UTC), `status` waiting, started, refused or stopped; `run` and the record `about` only for who may see them."""

    trigger: str
    at: datetime
    status: str
    run: str | None
    why: str | None
    about: tuple[str, str] | None


def between(
    actor: Actor, slug_or_id: str, since: datetime, until: datetime, state: str = "", after: str | None = None
) -> tuple[list[FiringLine], str | None]:
    """Firings from `since` to before `until`, the newest first, at most `MOST`, and the cursor of the next page. `state` is a key of `STATES`, or empty for all.

    Raises NotFound for a workflow that the actor may not see, Malformed for no state or cursor.
    """
    known = workflows.entry(actor, slug_or_id)
    seen, given = firing_counts.visible_firings(actor, [known.id], "%(", ")s", period=(since, until))
    statuses = (
        [*STATES[one_of("state", state, [*STATES])]]
        if state
        else [status for each in STATES.values() for status in each]
    )
    at, ident = cursor_of(after, "") if after else (None, "")
    fired = firing_counts.FIRED.format(workflow="%(workflow)s")
    wanted: dict[str, Any] = {
        "workflow": known.id,
        "since": since,
        "until": until,
        "statuses": statuses,
        "at": at,
        "id": ident,
    }
    rows = fetch(
        _FOUND.format(runs=access.runs(actor).sql(), seen=seen, fired=fired),
        wanted | {"most": MOST + 1} | given,
    )
    lines = [
        FiringLine(row[0], row[1], row[2], row[3], row[4], (row[5], row[6]) if row[5] and row[6] else None)
        for row in rows[:MOST]
    ]
    return lines, f"{rows[MOST - 1][1].isoformat()}~{rows[MOST - 1][7]}" if len(rows) > MOST else None
