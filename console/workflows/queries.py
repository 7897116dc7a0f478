"""Every workflow as lists and menus have it, kept for a second."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from console.infra.db import tables
from console.infra.db.engine import read_rows
from console.infra.db.process_cache import ProcessCache


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
    return _workflows.get()


def status_once_published(status: str) -> str:
    """The status of a workflow after its draft is published: the first version activates it, a later one leaves it as it is."""
    return "active" if status == "draft" else status


def find_known(slug_or_id: str | None) -> Known | None:
    """Return the workflow of this slug or id, as `all_known` has it."""
    return next((known for known in all_known() if slug_or_id in (known.slug, known.id)), None)


def read_all(_: object = None) -> list[Known]:
    """Return every workflow as it is now, in the order of their list."""
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
    return [Known(*row) for row in read_rows(found)]


_workflows: ProcessCache[list[Known]] = ProcessCache(read_all)
forget = _workflows.forget
