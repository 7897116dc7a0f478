"""Actions as they are kept in the console's own tables: read whole, at most a second old."""

import time
from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from console.core.documents.action_document import Action, read
from console.db import tables
from console.db.engine import hot_engine
from console.errors import NotFound

KEPT_S = 1.0

_kept: tuple[float, Engine, Mapping[str, Action]] | None = None
_read: dict[str, Action] = {}


def every() -> Mapping[str, Action]:
    """Every action by its id, in the order of their ids. Without rights: callers judge."""
    global _kept  # noqa: PLW0603 - one list per process, swapped whole
    kept, here, now = _kept, hot_engine(), time.monotonic()
    if kept is None or kept[1] is not here or now - kept[0] >= KEPT_S:
        kept = _kept = (now, here, _all_actions())
    return kept[2]


def get(action_id: str) -> Action:
    """The action. Raises NotFound."""
    found = every().get(action_id)
    if found is None:
        raise NotFound(f"There is no action {action_id[:100]}. Import it with `console action import`.")
    return found


def forget() -> None:
    """Read anew at the next use: this process changed it."""
    global _kept  # noqa: PLW0603 - as above
    _kept = None


def _all_actions() -> dict[str, Action]:
    """Documents are parsed once for each text of them."""
    kept = tables.action.c
    with hot_engine().connect() as connection:
        rows = connection.execute(sa.select(kept.id, kept.hash, kept.document).order_by(kept.id)).all()
    found = {row.id: _read.get(row.hash) or read(bytes(row.document)) for row in rows}
    _read.clear()
    _read.update({row.hash: found[row.id] for row in rows})
    return found
