"""Connectors: systems whose calls are described in one file each, `<id>.toml` in this folder, found by itself.

A file says how the system is reached and signed in to, how a connection is tested, and its operations. How a request is made and what its answer means stands
in `request` and `result` of an operation, in the settings of the effect `http`: that is what an operation is done by. Its expressions find the fields as `input`.
"""

import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from console.core.mcp_tools import properties, required

Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Auth = Literal["key", "basic", "oauth"]


class Part(BaseModel):
    """What every part of a file has: nothing that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Test(Part):
    """A call that changes nothing and succeeds where the address and the credentials are right."""

    path: Annotated[str, StringConstraints(pattern=r"^/")]
    expect: str | None = Field(None, description="Expression over `answer` that has to hold")


class Value(Part):
    """A value of the result: an expression over `answer` (over `item` where it was looked up), and what it means."""

    value: str
    means: Text
    item: str | None = Field(None, description="Expression over `item`; none: that of the answer")

    def of_item(self) -> str:
        """The expression over an entry that the look-up found."""
        return self.item or self.value.replace("answer.", "item.")


class Operation(Part):
    """Something that the system can be asked to do. `fields` is the JSON Schema of an object, `request` settings of the effect `http`."""

    title: Text
    consequence: Text = Field(description="What it does to the world, in one sentence")
    fields: Mapping[str, Any] = Field(default_factory=dict)
    request: Mapping[str, Any]
    result: Mapping[str, Value] = Field(default_factory=dict, description="None: the whole answer")

    @property
    def reads(self) -> bool:
        """Whether it only asks."""
        return self.request.get("method") == "GET"

    @property
    def path(self) -> str | None:
        """The template of the path; None where who uses the operation gives it."""
        return self.request.get("path")

    @property
    def form(self) -> Mapping[str, Any]:
        """The JSON Schema of its fields."""
        return {"type": "object", **self.fields}

    def wrong_names(self, names: Mapping[str, Any]) -> Iterator[str]:
        """What is wrong with the fields that are given: `metadata.order` gives a part of an object."""
        known, given = properties(self.form), {name.partition(".")[0] for name in names}
        yield from (f"it has no field {name}" for name in sorted(given - known.keys()))
        yield from (f"it needs {name}" for name in required(self.form) if name not in given)

    def effect(self, path: str | None) -> dict[str, Any]:
        """The settings of the effect `http` that does it."""
        made = {**self.request, "path": self.path or path}
        if self.result:
            made["result"] = {name: each.value for name, each in self.result.items()}
            if "look_up" in made:
                found = {name: each.of_item() for name, each in self.result.items()}
                made["look_up"] = {**made["look_up"], "result": found}
        return made


class Connector(Part):
    """A system. `auth` are the ways to sign in that it takes, the usual one first; `address` is where it usually is, or an example of it."""

    id: str
    title: Text
    text: Text
    manual: Text = Field(description="Where its makers describe the calls")
    address: Text
    fixed: bool = Field(False, description="Whether `address` is that of every customer")
    auth: Annotated[tuple[Auth, ...], Field(min_length=1)]
    secret: Text = Field(description="Where one finds the key, and what it has to be allowed")
    user: Text | None = Field(None, description="For basic: what the user is")
    test: Test | None = None
    operations: Mapping[str, Operation]


def _read() -> Iterator[Connector]:
    files = (file for file in resources.files(__name__).iterdir() if file.name.endswith(".toml"))
    for file in sorted(files, key=lambda each: each.name):
        told = tomllib.loads(file.read_text(encoding="utf-8"))
        yield Connector.model_validate({"id": file.name.removesuffix(".toml"), **told})


CONNECTORS: Mapping[str, Connector] = MappingProxyType({each.id: each for each in _read()})
"""Every connector by its id."""


def operation(define: Mapping[str, Any]) -> Operation | None:
    """The operation that an effect of kind `connector` names, if it is known."""
    named = CONNECTORS.get(str(define.get("connector")))
    return named.operations.get(str(define.get("operation"))) if named is not None else None
