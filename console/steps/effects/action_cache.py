"""A cache of all actions: read from the console's own tables, at most one second old."""

import time
from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from console.core.documents.action_document import Action, read
from console.core.errors import NotFound
from console.infra.db import tables
from console.infra.db.engine import hot_engine

CACHED_S = 1.0

_cached: tuple[float, Engine, Mapping[str, Action]] | None = None
_parsed: dict[str, Action] = {}


def every() -> Mapping[str, Action]:
    """Every action by its id, in the order of their ids. Without rights: callers judge."""
    global _cached  # noqa: PLW0603 - one list per process, swapped whole
    cached, engine, now = _cached, hot_engine(), time.monotonic()
    if cached is None or cached[1] is not engine or now - cached[0] >= CACHED_S:
        cached = _cached = (now, engine, _all_actions())
    return cached[2]


def get(action_id: str) -> Action:
    """The action. Raises NotFound."""
    action = every().get(action_id)
    if action is None:
        raise NotFound(f"There is no action {action_id[:100]}. Import it with `console action import`.")
    return action


def forget() -> None:
    """Read again at the next use, because this process changed an action."""
    global _cached  # noqa: PLW0603 - as above
    _cached = None


def _all_actions() -> dict[str, Action]:
    """Read all actions. A document is parsed again only if its text has changed."""
    action_at = tables.action.c
    with hot_engine().connect() as connection:
        rows = connection.execute(
            sa.select(action_at.id, action_at.hash, action_at.document).order_by(action_at.id)
        ).all()
    actions = {row.id: _parsed.get(row.hash) or read(bytes(row.document)) for row in rows}
    _parsed.clear()
    _parsed.update({row.hash: actions[row.id] for row in rows})
    return actions
