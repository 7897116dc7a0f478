"""Every workflow as lists and menus have it, kept for a second."""

import time
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from console.infra.db import tables
from console.infra.db.engine import hot_engine

KEPT_S = 1.0

_kept: tuple[float, Engine, list["Known"]] | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """A workflow in a list. `live` is the number of its live version, None for a draft; `team` is empty if it has none.

    `since` is when it got its status (aware UTC). `owner` is the id of the person whose it is, None for the organisation's.
    """

    id: str
    slug: str
    title: str
    status: str
    team: str
    collection: str | None
    live: int | None
    label: str | None = None
    archived: bool = False
    since: datetime | None = None
    owner: str | None = None


def all_known() -> list[Known]:
    """Every workflow with drafts, in the order of their list, at most a second old. Callers check the rights."""
    global _kept  # noqa: PLW0603 - one list per process, swapped whole
    kept, here, now = _kept, hot_engine(), time.monotonic()
    if kept is None or kept[1] is not here or now - kept[0] >= KEPT_S:
        kept = _kept = (now, here, _read_all())
    return kept[2]


def _forget() -> None:
    """Read the list again at the next use, because this process changed it."""
    global _kept  # noqa: PLW0603 - as above
    _kept = None


def _read_all() -> list[Known]:
    known = tables.workflow.c
    columns = (
        known.id,
        known.slug,
        known.title,
        known.status,
        known.team,
        known.collection,
        known.live_version,
        known.label,
    )
    found = sa.select(*columns, known.archived_at.is_not(None), known.status_at, known.owner)
    found = found.order_by(known.title, known.slug)
    with hot_engine().connect() as connection:
        return [Known(*row) for row in connection.execute(found)]
