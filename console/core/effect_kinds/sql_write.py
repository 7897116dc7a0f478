"""Change fields of a record."""

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from console.core.documents.fields import Computed, Located
from console.core.effect_kinds.base import Kind, Placed, Writes, in_rules


class SqlWrite(Kind):
    """Change fields of a record; what holds its new value already is left alone, so doing it twice changes nothing."""

    kind: Literal["sql_write"]
    collection: str | None = Field(None, max_length=200, description="None: the action's own")
    record: str | None = Field(None, description="Expression for the key of the record, or a list of keys; none: the action's record")
    set: dict[str, Computed] = Field(min_length=1, max_length=40, description="Field to expression, or cases")

    @model_validator(mode="after")
    def _which(self) -> Self:
        if self.collection is not None and self.record is None:
            raise ValueError("a record of another collection must be named: give record")
        return self

    def texts(self) -> Iterator[Placed]:
        """The record, and what is set."""
        yield from ((Located("record", text), False) for text in [self.record] if text is not None)
        yield from in_rules("set", self.set)

    def writes(self) -> Writes:
        """What is set."""
        return Writes(self.collection, "set", self.set)

    def names(self) -> Iterator[str]:
        """The fields."""
        yield from self.set

    @property
    def outside(self) -> bool:
        """The record shows it."""
        return False
