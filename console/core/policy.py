"""Variables on a given day, and policy tables for lookups.

A run keeps the rules of its start: `rules(workflow, run.created_at)`. Replay and later work see the same values even after a rule changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from console.core.documents.variables import Dated
from console.core.documents.workflow import Workflow
from console.core.expressions.functions import Answers


@dataclass(frozen=True, slots=True)
class Rules:
    """`variables` by name; `tables`: name → value columns by name."""

    variables: Mapping[str, Any]
    tables: Mapping[str, Mapping[str, Answers]]

    @property
    def roots(self) -> dict[str, Any]:
        """The rules as roots of expressions."""
        return {"variables": self.variables, "tables": self.tables}


def rules(workflow: Workflow, at: datetime) -> Rules:
    """The rules of that moment's day (UTC). Rules that are not yet valid are missing: unknown in an expression."""
    return on_day(workflow, at.astimezone(UTC).date())


def on_day(workflow: Workflow, day: date) -> Rules:
    """The rules of that day."""
    variables = {}
    for name, given in workflow.variables.items():
        if not isinstance(given, Dated):
            variables[name] = given
        elif valid := [phase for phase in given.dated if (phase.valid_from or "") <= day.isoformat()]:
            variables[name] = valid[-1].value
    tables = {}
    for name, table in workflow.tables.items():
        valid_rows = table.valid(day)
        types = tuple(column.type for key in table.keys for column in table.columns if column.name == key)
        tables[name] = {
            column.name: Answers(types, {keys: row[column.name] for keys, row in valid_rows.items()})
            for column in table.answers
        }
    return Rules(variables, tables)
