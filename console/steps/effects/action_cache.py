"""A cache of all actions: read from the console's own tables, at most one second old."""

from collections.abc import Mapping

import sqlalchemy as sa

from console.core.documents.action_document import Action, read
from console.core.errors import NotFound
from console.infra.db import tables
from console.infra.db.engine import read_rows
from console.infra.db.process_cache import ProcessCache

_parsed: dict[str, Action] = {}


def every() -> Mapping[str, Action]:
    """Every action by its id, in the order of their ids. Without rights: callers judge."""
    return _actions.get()


def get(action_id: str) -> Action:
    """The action. Raises NotFound."""
    action = every().get(action_id)
    if action is None:
        raise NotFound(f"There is no action {action_id[:100]}. Import it with `console action import`.")
    return action


def _read_actions(_: object) -> dict[str, Action]:
    """Read all actions. A document is parsed again only if its text has changed."""
    action_at = tables.action.c
    rows = read_rows(sa.select(action_at.id, action_at.hash, action_at.document).order_by(action_at.id))
    actions = {row.id: _parsed.get(row.hash) or read(bytes(row.document)) for row in rows}
    _parsed.clear()
    _parsed.update({row.hash: actions[row.id] for row in rows})
    return actions


_actions: ProcessCache[Mapping[str, Action]] = ProcessCache(_read_actions)
forget = _actions.forget
