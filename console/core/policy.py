"""House rules as they were on a day: variables that change, and tables in which they are looked up.

A run keeps the rules of the moment at which it began: `rules(workflow, run.created_at)`. Whoever replays it, or works on it after a rule
has changed, finds the same values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from console.core.documents.workflow import Dated, Workflow
from console.core.expressions.functions import Answers


@dataclass(frozen=True, slots=True)
class Rules:
    """`variables` by name; `tables` by name, each column that is no key by its name."""

    variables: Mapping[str, Any]
    tables: Mapping[str, Mapping[str, Answers]]

    @property
    def roots(self) -> dict[str, Any]:
        """The rules as roots of an expression."""
        return {"variables": self.variables, "tables": self.tables}


def rules(workflow: Workflow, at: datetime) -> Rules:
    """The rules of the day (in UTC) of that moment. What is not yet valid then is not there: unknown in an expression."""
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
            column.name: Answers(types, {keys: row[column.name] for keys, row in valid_rows.items()}) for column in table.answers
        }
    return Rules(variables, tables)
