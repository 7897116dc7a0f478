"""An action before a person, without a database: for tests of the step that has it done."""

from typing import Any

from console.core.documents.action_document import read
from console.steps.base import Act
from tests.steps.walk import NOW, OLIVIA

SMALL: dict[str, Any] = {
    "format": 1,
    "id": "thing.mend",
    "title": "Mend the thing",
    "collection": "thing",
    "effects": [{"kind": "sql_write", "name": "thing", "summary": "Mends it", "set": {"state": "'mended'"}}],
}


def act(
    document: dict[str, Any] | None = None, *, may: Any = "execute", problem: str = "", **record: Any
) -> Act:
    """The action before a record with these values."""
    action = read({**SMALL, **(document or {})})
    roots = {
        "record": record,
        "input": {},
        "related": {},
        "variables": action.variables,
        "run": {"id": "run_1"},
        "currentUser": OLIVIA,
        "now": NOW,
    }
    return Act(action, "thing", None if problem else "7", "Thing 7", roots, may, record, problem)
