"""What every document is made of: names, titles, the part that refuses unknown keys, and how a whole document is stored."""

import hashlib
import json
from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from console.core import expressions

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SLUG_PATTERN = r"^[a-z][a-z0-9-]{0,62}[a-z0-9]$"
NAME_PATTERN = r"^[a-z][a-z0-9_]{0,63}$"
RESERVED = frozenset(
    {
        "record",
        "input",
        "steps",
        "variables",
        "tables",
        "item",
        "run",
        "now",
        "default",
        "error",
        "settle",
        "true",
        "false",
        "null",
        "in",
    }
)

Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN)]
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=False)]


def _with_choices(text: str) -> str:
    """The text. Raises ValueError where its `if`, `else` and `end` are out of order."""
    if wrong := expressions.wrong_choices(text):
        raise ValueError(wrong)
    return text


NodeType = Literal["VOICE_CALL", "TIME", "CONDITIONAL", "APPLICATION", "CONVERTED", "DROPPED"]
"""What programs call a node of a calling workflow."""

Said = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(_with_choices)]
"""A sentence of a rule, in which {{ expressions }} are filled in."""

Help = Annotated[str, StringConstraints(max_length=500), AfterValidator(_with_choices)]
"""What is said below a field, in which {{ expressions }} are filled in."""


class Part(BaseModel):
    """A part of a document; unknown keys are refused, so that a typing error is never silently nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class StoredDocument(BaseModel):
    """A whole document, as it is stored: its bytes are identical for equal documents, whatever the layout of their file."""

    model_config = Part.model_config

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The document in canonical order, without default values."""

    def canonical(self) -> bytes:
        """The document as bytes: UTF-8, two spaces, final newline."""
        return as_file(self.to_json())

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical bytes, hexadecimal."""
        return hashlib.sha256(self.canonical()).hexdigest()


def schema_of(model: type[StoredDocument]) -> dict[str, Any]:
    """The JSON Schema of the newest format of these documents, for editors that complete and check their files."""
    json_schema = model.model_json_schema(by_alias=True)
    shared = json_schema.pop("$defs")
    kind = model.__name__.removesuffix("Document").lower()
    title = f"A{'n' if kind.startswith('a') else ''} {kind} of Handrail"
    return {"$schema": DIALECT, **json_schema, "title": title, "$defs": dict(sorted(shared.items()))}


def as_file(said: Mapping[str, Any]) -> bytes:
    """A document or a schema as the bytes of its file."""
    return (json.dumps(said, ensure_ascii=False, indent=2) + "\n").encode()


def sorted_keys(value: Any) -> Any:
    """The same value with sorted object keys at every depth."""
    if isinstance(value, dict):
        return {key: sorted_keys(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [sorted_keys(entry) for entry in value]
    return value
