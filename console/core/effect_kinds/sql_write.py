"""Change fields of a record."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from console.core.documents.fields import Computed
from console.core.effect_kinds.base import OfRecord, Placed, Writes, in_rules


class SqlWrite(OfRecord):
    """Change fields of a record; what holds its new value already is left alone, so doing it twice changes nothing."""

    kind: Literal["sql_write"]
    record: str | None = Field(
        None, description="Expression for the key of the record, or a list of keys; none: the action's record"
    )
    set: dict[str, Computed] = Field(min_length=1, max_length=40, description="Field to expression, or cases")

    def texts(self) -> Iterator[Placed]:
        """The record, and what is set."""
        yield from super().texts()
        yield from in_rules("set", self.set)

    def writes(self) -> Writes:
        """What is set."""
        return Writes(self.collection, "set", self.set)

    def names(self) -> Iterator[str]:
        """The fields."""
        yield from self.set
