"""Delete a record."""

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from console.core.documents.fields import Located
from console.core.effect_kinds.base import Kind, Placed, Writes


class SqlDelete(Kind):
    """Delete a record that is still as it was when this was asked for; one that is gone already is left at that."""

    kind: Literal["sql_delete"]
    collection: str | None = Field(None, max_length=200, description="None: the action's own")
    record: str | None = Field(None, description="Expression for the key of the record; none: the action's record")

    @model_validator(mode="after")
    def _which(self) -> Self:
        if self.collection is not None and self.record is None:
            raise ValueError("a record of another collection must be named: give record")
        return self

    def texts(self) -> Iterator[Placed]:
        """The record."""
        yield from ((Located("record", text), False) for text in [self.record] if text is not None)

    def writes(self) -> Writes:
        """No single field, but the record as a whole."""
        return Writes(self.collection, "record", {})

    @property
    def outside(self) -> bool:
        """The list of records shows it."""
        return False
