"""The runs that a reader may know of. Every statement that reads `console.run` uses this, for a reader or explicitly for the engine.

A run with a label does not exist for anybody who is not cleared for it: it is in no list, count, total, refusal or preview.
Rights on teams, workflows and records are checked separately by the caller.
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
    """The runs that a reader may know of. `labels` are those that the reader is cleared for; None: every run."""

    labels: Sequence[str] | None

    @property
    def every(self) -> bool:
        """Whether the reader may know of every run."""
        return self.labels is None

    @property
    def cleared(self) -> list[str]:
        """The labels as a statement parameter."""
        return list(self.labels or ())

    def sql(self, alias: str = "r") -> str:
        """The SQL text for `from`."""
        if self.labels is None:
            return f"console.run {alias} {ALL}"
        return f"(select * from console.run h where {self.open('h')}) {alias}"  # noqa: S608 (labels are names of small letters)

    def condition(self, label: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """The condition for SQLAlchemy, on the label column of a run or of something that belongs to a run (an approval, a call)."""
        if self.labels is None:
            return sa.true()
        return sa.or_(label.is_(None), label.in_(self.cleared)) if self.labels else label.is_(None)

    def open(self, alias: str) -> str:
        """The condition as SQL text, for a row with its own label."""
        if self.labels is None:
            return "true"
        named = ", ".join(f"'{label}'" for label in self.labels or () if _LABEL.fullmatch(label))
        return f"({alias}.label is null or {alias}.label = any (array[{named}]::text[]))"


EVERY_RUN = Runs(None)
"""For the engine, which moves, cleans up and repairs runs without showing them."""
AT_WORK = "r.ended_at is null and (r.status = 'running' or (r.status = 'waiting_event' and r.waiting ->> 'for' = 'effect'))"
"""Condition of runs that the engine is moving, as the index `run_at_work` has it: few, however many runs rest."""
