"""What a report is that people read as a table and take away as CSV: who may read it, its columns and its rows."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar, Literal, TypeAlias

from console.core.actor import Actor

WINDOWS = (7, 30, 90)
"""Days back from now that a reader may choose."""

Cell: TypeAlias = str | int | Decimal | timedelta | None
"""A text, a number, a length of time, or None where there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and what stands below it; a `time` is a length of time, in CSV a number of seconds."""

    label: str
    kind: Literal["text", "number", "time"] = "text"


class TableReport(ABC):
    """One report. Subclasses live one to a file in this folder; the name of the file is the report's address."""

    title: ClassVar[str]
    gist: ClassVar[str]  # what it says, in one sentence
    icon: ClassVar[str] = "table"
    columns: ClassVar[tuple[Column, ...]]

    def may_read(self, actor: Actor) -> bool:
        """Whether the report is shown to this person at all; nobody, unless the report says so."""
        return False

    @abstractmethod
    def rows(self, actor: Actor, days: int) -> Iterable[Sequence[Cell]]:
        """Its lines over the last `days`, a cell for each column, of what the actor may see and of nothing else."""
