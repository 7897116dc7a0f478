"""Call a function."""

from collections.abc import Collection as Many, Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from console.core.documents.document_parts import Name
from console.core.documents.fields import Computed
from console.core.effect_kinds.base import Kind, Placed, in_rules

FUNCTION_PATTERN = r"^[a-z][a-z0-9_]{0,30}(\.[a-z][a-z0-9_]{0,30}){0,2}$"


class Python(Kind):
    """Call a function of ours or of another package, named by the entry point group `console.actions`."""

    hidden_writes = True
    kind: Literal["python"]
    function: Annotated[str, StringConstraints(pattern=FUNCTION_PATTERN)]
    values: dict[Name, Computed] = Field(default_factory=dict, max_length=60)
    idempotent: bool = Field(
        False,
        description="Called twice with the same key it does the thing once: it is called again after a crash",
    )
    repeatable: bool = Field(
        False,
        description="Called once more with another key it does no harm: where a run goes back it is called again, and nobody is asked",
    )

    def texts(self) -> Iterator[Placed]:
        """The values."""
        yield from in_rules("values", self.values)

    def names(self) -> Iterator[str]:
        """The function, and what it is given."""
        yield self.function
        yield from self.values

    def warnings(self, functions: Many[str] | None) -> Iterator[tuple[str, str]]:
        """A function that is not installed."""
        if functions is not None and self.function not in functions:
            yield "function", f"There is no function {self.function}: is its package installed?"
