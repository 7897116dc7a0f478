"""An operation of a connector: done as the effect `http` that its file describes, at a connection that an administrator registered."""

from collections.abc import Collection as Many, Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from console.core.connectors import CONNECTORS, Operation, operation
from console.core.documents.document_parts import Name
from console.core.documents.fields import Computed, Located
from console.core.effect_kinds.base import Kind, Placed, in_rules
from console.core.effect_kinds.http import LONGEST_S, NO_CHOICE, Follow, Http, follow_texts
from console.core.expressions import chooses

FieldName = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Connector(Kind):
    """Have a connector do one of its operations."""

    deed = "call of another system"
    kind: Literal["connector"]
    connector: str = Field(json_schema_extra={"enum": [*CONNECTORS]})
    operation: Name = Field(description="One of the connector's")
    connection: Name | None = Field(
        None,
        description="A name of Settings, Connections, or of CONSOLE_HTTP_TARGETS; none: the one that is named like the connector",
    )
    path: Annotated[str, StringConstraints(pattern=r"^/", max_length=500)] | None = Field(
        None,
        description="What is asked for, where the operation does not say; each {{ expression }} is one piece of it",
    )
    values: dict[FieldName, Computed] = Field(
        default_factory=dict,
        max_length=60,
        description="Field of the operation to expression; a dot in a name makes an object inside",
    )
    resend: bool = Field(
        True,
        description="Send it again by itself where no answer came and the system takes the same key twice as one; false: a person looks",
    )
    timeout_s: int = Field(10, ge=1, le=LONGEST_S, description="Seconds to wait for an answer")
    follow: Follow | None = None

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.connector not in CONNECTORS:
            raise ValueError(f"there is no connector {self.connector}: one of {', '.join(CONNECTORS)}")
        known = operation(self.model_dump())
        if known is None:
            every = ", ".join(CONNECTORS[self.connector].operations)
            raise ValueError(f"{self.connector} has no operation {self.operation}: one of {every}")
        if (self.path is None) == (known.path is None):
            raise ValueError("the operation has its path" if self.path else "say which path is asked for")
        if self.path is not None and chooses(self.path):
            raise ValueError(NO_CHOICE)
        if wrong := next(known.wrong_names(self.values), None):
            raise ValueError(f"{CONNECTORS[self.connector].title}, {known.title}: {wrong}")
        if self.follow is not None and "look_up" not in known.request:
            raise ValueError("follow needs an operation that can be looked up")
        return self

    @property
    def does(self) -> Operation:
        """The operation."""
        return CONNECTORS[self.connector].operations[self.operation]

    @property
    def method(self) -> str:
        """The method of HTTP."""
        return str(self.does.request.get("method", "POST"))

    @property
    def http(self) -> Http:
        """The effect that does it. Its expressions find the fields as `input`."""
        made = {
            **self.does.effect(self.path),
            "kind": "http",
            "name": self.name,
            "summary": self.summary,
            "connection": self.connection or self.connector,
            "timeout_s": self.timeout_s,
            "irreversible": self.irreversible,
        }
        return Http.model_validate(made if self.resend else {**made, "idempotent": False})

    def texts(self) -> Iterator[Placed]:
        """The path and the fields."""
        if self.path is not None:
            yield Located("path", self.path), True
        yield from in_rules("values", self.values)

    def later_texts(self) -> Iterator[Placed]:
        """What is followed."""
        yield from follow_texts(self.follow)

    def names(self) -> Iterator[str]:
        """The operation and its fields, unless it only asks."""
        yield from (self.operation, *self.values) if self.outside else ()

    @property
    def outside(self) -> bool:
        """Unless it only asks."""
        return not self.does.reads

    @property
    def goes_to(self) -> str:
        """The system."""
        return CONNECTORS[self.connector].title

    @property
    def request(self) -> str:
        """The method and path of HTTP."""
        return self.http.request

    def warnings(self, functions: Many[str] | None) -> Iterator[tuple[str, str]]:
        """A call that cannot be told to have happened."""
        for _, reason in self.http.warnings(functions):
            yield "operation", reason.partition(":")[0] + ": a person is asked then."
