"""Proposals whose time is up although nobody gave an answer: whoever was to ask has died, or there is no worker."""

from console import runs
from console.db.engine import fetch
from console.proposals import words
from console.proposals.result import Told, failed

AT_ONCE = 100
_OVERDUE = (
    "select id, greatest(1, round(extract(epoch from deadline_at - at)))::float8 from console.ai_call"
    " where status = 'pending' and deadline_at < now() - interval '1 second' order by deadline_at limit %s"
)


def give_up_overdue() -> int:
    """Say of each that the time was up; how many there were. One that is answered this very moment keeps its answer."""
    found = fetch(_OVERDUE, (AT_ONCE,))
    for call, seconds in found:
        told = failed("timeout", words.message("timeout", seconds), Told())
        runs.proposed(call, told.kind, told.open, told.sealed)
    return len(found)
