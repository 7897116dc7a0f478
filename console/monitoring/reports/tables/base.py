"""What a report is that people read as a table and take away as CSV: who may read it, its columns and its rows."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Literal, TypeAlias

from console import log
from console.core.actor import Actor

WINDOWS = (7, 30, 90)
"""Days back from now that a reader may choose."""


@dataclass(frozen=True, slots=True)
class Link:
    """A text that leads to a page of the console."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Given:
    """Why, as a person handed it in at a step of a version: its values by name, those that the reader may not see in `hidden`, and the `currencies` of amounts.

    `reason` is what was said beside the form. The page says it in words, by the labels of that version.
    """

    workflow: str
    version: int
    step: str
    values: Mapping[str, Any]
    hidden: frozenset[str] = frozenset()
    currencies: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


Cell: TypeAlias = Link | Given | str | int | Decimal | timedelta | datetime | None
"""A text, a link, what was handed in, a number, a length of time, a moment (aware UTC), or None where there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and what stands below it; a `time` is a length of time, in CSV a number of seconds; a `moment` is in the reader's zone, in CSV in UTC."""

    label: str
    kind: Literal["text", "number", "time", "moment"] = "text"
    wide: bool = False


class TableReport(ABC):
    """One report. Subclasses live one to a file in this folder; the name of the file is the report's address."""

    title: ClassVar[str]
    gist: ClassVar[str]  # what it says, in one sentence
    icon: ClassVar[str] = "table"
    columns: ClassVar[tuple[Column, ...]]
    export_right: ClassVar[tuple[str, str] | None] = (
        None  # object and act that one needs to take it away; None: who reads it may
    )

    def may_read(self, actor: Actor) -> bool:
        """Whether the report is shown to this person at all; nobody, unless the report says so."""
        return False

    @abstractmethod
    def rows(self, actor: Actor, days: int) -> Iterable[Sequence[Cell]]:
        """Its lines over the last `days`, a cell for each column, of what the actor may see and of nothing else."""


class PeriodReport(TableReport):
    """A report of any period that its reader sets, on paper too."""

    @abstractmethod
    def between(self, actor: Actor, since: datetime, until: datetime) -> Sequence[Sequence[Cell]]:
        """Its lines from `since` on and before `until`, both aware."""

    @abstractmethod
    def counted(self, rows: Sequence[Sequence[Cell]]) -> Mapping[str, int]:
        """How often each matter is among these lines, those that never happened too."""

    def rows(self, actor: Actor, days: int) -> Sequence[Sequence[Cell]]:
        """The lines of the last `days`."""
        now = log.now()
        return self.between(actor, now - timedelta(days=days), now)
