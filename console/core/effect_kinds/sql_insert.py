"""Add a record."""

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from console.core.documents.fields import Computed
from console.core.effect_kinds.base import Kind, Placed, Writes, in_rules


class SqlInsert(Kind):
    """Add a record. One that has the same values in `unique` is taken for this one: doing it twice adds one."""

    deed = "new record"
    kind: Literal["sql_insert"]
    collection: str = Field(min_length=1, max_length=200)
    values: dict[str, Computed] = Field(
        min_length=1, max_length=60, description="Field to expression, or cases"
    )
    unique: list[str] = Field(
        default_factory=list,
        max_length=8,
        description="Fields that the database holds unique together, such as one that is set to `key`",
    )

    @model_validator(mode="after")
    def _known(self) -> Self:
        if unknown := sorted(set(self.unique) - set(self.values)):
            raise ValueError(f"unique names what has no value: {', '.join(unknown)}")
        return self

    def texts(self) -> Iterator[Placed]:
        """The values."""
        yield from in_rules("values", self.values)

    def writes(self) -> Writes:
        """The values."""
        return Writes(self.collection, "values", self.values)

    def names(self) -> Iterator[str]:
        """The collection and the fields."""
        yield self.collection.rpartition(".")[2]
        yield from self.values

    @property
    def outside(self) -> bool:
        """The record shows it."""
        return False
