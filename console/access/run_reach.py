"""Runs as somebody may know of them: every statement that reads `console.run` takes them from here, for a reader or, said aloud, for the engine.

A run with a label is not there for whoever is not cleared for it: it is in no list, count, total, refusal or preview. Which teams, workflows and
records the reader may see is asked beside this, by whoever lists.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

_LABEL = re.compile(r"[a-z][a-z0-9_]{0,63}")
ALL = "/* every run */"


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs that are there for a reader: `labels` are those that they are cleared for, None where every run is theirs to know of."""

    labels: Sequence[str] | None

    @property
    def every(self) -> bool:
        """Whether no run is kept from the reader."""
        return self.labels is None

    @property
    def cleared(self) -> list[str]:
        """The labels, for a statement that takes them as a parameter."""
        return list(self.labels or ())

    def sql(self, alias: str = "r") -> str:
        """What stands in `from` for them."""
        if self.labels is None:
            return f"console.run {alias} {ALL}"
        return f"(select * from console.run h where {self.open('h')}) {alias}"  # noqa: S608 (labels are names of small letters)

    def condition(self, label: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """The same for SQLAlchemy, of the label of a run or of what was made of one (an approval, a call)."""
        if self.labels is None:
            return sa.true()
        return sa.or_(label.is_(None), label.in_(self.cleared)) if self.labels else label.is_(None)

    def open(self, alias: str) -> str:
        """The condition, of a row with a label of its own: a run, or what was made of one."""
        if self.labels is None:
            return "true"
        named = ", ".join(f"'{label}'" for label in self.labels or () if _LABEL.fullmatch(label))
        return f"({alias}.label is null or {alias}.label = any (array[{named}]::text[]))"


EVERY_RUN = Runs(None)
"""For the engine: what it moves, sweeps and repairs, and tells nobody."""
