"""What every kind of effect says of itself: its settings, the texts in them, what it writes, and whether it reaches beyond the records."""

from collections.abc import Collection as Many, Iterator, Mapping
from typing import Annotated, ClassVar, NamedTuple, Self

from pydantic import Field, StringConstraints, model_validator

from console.core.documents.document_parts import Name
from console.core.documents.field_expressions import texts_of
from console.core.documents.fields import Computed, Definition, Located

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Placed = tuple[Located, bool]
"""An expression or template with its place in the settings, and whether it is a template."""


class Writes(NamedTuple):
    """The fields that an effect sets: rules by field, the setting that holds them, and the collection (None: the action's own)."""

    collection: str | None
    place: str
    rules: Mapping[str, Computed]


class Kind(Definition):
    """What every kind of effect has."""

    deed: ClassVar[str] = ""  # what the log calls it, where it is more than a change of a record
    hidden_writes: ClassVar[bool] = False  # whether it may write columns that its settings do not name
    name: Name = Field(
        description="Where later effects, messages and steps find what came of it: `results.<name>`"
    )
    summary: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="What it does, in a few words and without values"
    )
    if_: str | None = Field(
        None, alias="if", description="Expression; where it does not hold the effect is left out"
    )
    irreversible: bool = Field(
        False,
        description="Money that leaves, or a message: where nobody knows whether it was done, a person is asked whatever on_error says",
    )
    kind: str

    def texts(self) -> Iterator[Placed]:
        """Every expression and template in its own settings; they may use `results` of the effects before. What is not named here is not checked."""
        yield from ()

    def later_texts(self) -> Iterator[Placed]:
        """Those that are looked at when the whole action is done."""
        yield from ()

    def writes(self) -> Writes | None:
        """The fields of records that it sets, to be checked against their collection."""
        return None

    def sets(self) -> list[tuple[str | None, str]]:
        """(collection, None for the action's own; column) of what it sets."""
        written = self.writes()
        return [(written.collection, name) for name in written.rules] if written is not None else []

    def names(self) -> Iterator[str]:
        """Names by which it is judged whether money, a restriction or something final is at stake."""
        yield self.kind

    @property
    def outside(self) -> bool:
        """Whether it does something that no record of ours shows: figures in its form then count as money, and a restored backup or a copy leaves it undone."""
        return True

    @property
    def goes_to(self) -> str:
        """Where it sends something, for the person who decides; empty for nowhere."""
        return ""

    @property
    def request(self) -> str:
        """What is sent there, in the words of programs; empty for nowhere."""
        return ""

    def warnings(self, functions: Many[str] | None) -> Iterator[tuple[str, str]]:
        """(setting, reason) of what works and is not wise. `functions` are those for actions, None where they are not known."""
        yield from ()


class OfRecord(Kind):
    """A kind that changes one record: the action's own, or another that is named."""

    collection: str | None = Field(None, max_length=200, description="None: the action's own")
    record: str | None = Field(
        None, description="Expression for the key of the record; none: the action's record"
    )

    @model_validator(mode="after")
    def _which(self) -> Self:
        if self.collection is not None and self.record is None:
            raise ValueError("a record of another collection must be named: give record")
        return self

    def texts(self) -> Iterator[Placed]:
        """The record."""
        if self.record is not None:
            yield Located("record", self.record), False

    @property
    def outside(self) -> bool:
        """Whether the list of what runs did outside shows this effect."""
        return False


def text_of(effect: Kind) -> Iterator[Placed]:
    """Every expression and template of an effect's definition, its condition first."""
    if effect.if_ is not None:
        yield Located("if", effect.if_), False
    yield from effect.texts()


def in_rules(place: str, rules: Mapping[str, Computed]) -> Iterator[Placed]:
    """The expressions of rules by name, `place` before their names."""
    for name, rule in rules.items():
        yield from ((text, False) for text in texts_of(f"{place}.{name}", rule))
