"""The health of a channel: how many messages were sent, failed and wait, of the last day. One statement for each channel, over an index."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from console import log
from console.db.engine import fetch

DAY = timedelta(days=1)
_FIGURES = """
select count(*) filter (where sent_at > %(since)s), count(*) filter (where status in ('failed', 'unknown') and at > %(since)s),
count(*) filter (where status in ('waiting', 'sending')), max(sent_at)
from console.message where channel = %(kind)s and direction = 'out' and (at > %(since)s or due_at is not null)
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Messages of the last 24 hours; `waiting` are those to leave, however old. `last_at` is when the newest left."""

    left: int
    failed: int
    waiting: int
    last_at: datetime | None


def figures_of(kind: str) -> Figures:
    """The figures of a channel."""
    return Figures(*fetch(_FIGURES, {"kind": kind, "since": log.now() - DAY})[0])
