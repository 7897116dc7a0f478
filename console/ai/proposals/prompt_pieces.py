"""Pieces of what a proposer is given, before they are numbered: values as JSON has them, no longer than can be read in a few seconds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from console.core.documents.collections.treatment import secret
from console.core.proposal_types import Kind, Source, Treatment

MOST_TEXT = 12_000
MOST_OF_ALL = 60_000
CUT = " … (cut off)"


@dataclass(frozen=True, slots=True)
class Piece:
    """A source to be. `name` goes to the proposer and names no person, `shown` is what people read."""

    kind: Kind
    name: str
    shown: str
    data: Mapping[str, Any]
    trusted: bool = True
    collection: str | None = None
    record: str | None = None
    step: str | None = None
    document: str | None = None
    page: int | None = None
    boxes: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    treatments: Mapping[str, Treatment] = field(default_factory=dict)
    read_at: datetime | None = None

    def source(self, id: str) -> Source:
        """The piece as a source of this number."""
        names = self.data.keys()
        return Source(
            id=id,
            kind=self.kind,
            title=self.name,
            data=self.data,
            trusted=self.trusted,
            collection=self.collection,
            record=self.record,
            step=self.step,
            document=self.document,
            page=self.page,
            boxes={name: box for name, box in self.boxes.items() if name in names},
            labels={name: label for name, label in self.labels.items() if name in names},
            treatments={
                name: treatment
                for name, treatment in self.treatments.items()
                if name in names and treatment != "full"
            },
            read_at=self.read_at,
        )


def filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are not empty, as JSON; long texts are cut."""
    plain_values = {name: json_value(value) for name, value in values.items()}
    return {name: value for name, value in plain_values.items() if value not in (None, "", [], {})}


def json_value(value: Any) -> Any:
    """A value as JSON has it; bytes say nothing."""
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return value if len(value) <= MOST_TEXT else value[:MOST_TEXT] + CUT
        case Decimal() | UUID():
            return str(value)
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            return filled({str(name): entry for name, entry in value.items()})
        case bytes():
            return None
        case Sequence():
            return [json_value(entry) for entry in value]
    return str(value)


def last(name: str) -> str:
    """The field at the end of a path such as `steps.load.record.email`."""
    return name.rpartition(".")[2]


def open_of(value: Any, closed: frozenset[str]) -> Any:
    """The value without what stands in it under one of these names, or under a path that ends so; secrets by their names go too."""
    if isinstance(value, Mapping):
        kept = {
            str(name): entry
            for name, entry in value.items()
            if last(str(name)) not in closed and not secret(last(str(name)))
        }
        return {name: open_of(entry, closed) for name, entry in kept.items()}
    return [open_of(entry, closed) for entry in value] if isinstance(value, list | tuple) else value


def texts(value: Any) -> Iterator[str]:
    """Every text in a value as JSON has it, names too."""
    match value:
        case str():
            yield value
        case Mapping():
            for name, entry in value.items():
                yield name
                yield from texts(entry)
        case list():
            for entry in value:
                yield from texts(entry)


def cut(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces, from the first one, as long as there is room for all they hold; what never leaves the house takes none."""
    kept, left = [], MOST_OF_ALL
    for piece in pieces:
        data = {name: value for name, value in piece.data.items() if piece.treatments.get(name) != "never"}
        size = len(orjson.dumps(data, default=str))
        if data and size <= left:
            kept.append(piece)
            left -= size
    return kept
