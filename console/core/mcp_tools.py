"""Tools of MCP servers: what each is called with, the hash by which it is pinned, and what changed in it.

A schema is the JSON Schema of a tool's arguments. Its server wrote it: it is data, and texts in it are told only where somebody accepted them.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
TEXTS = frozenset({"title", "description", "examples", "$comment"})
"""Keywords for readers, which change nothing of what is accepted."""
NAMED = frozenset({"properties", "$defs", "definitions", "patternProperties", "dependentSchemas"})
"""Keywords that hold schemas by name."""
VALUES = frozenset({"enum", "const", "default", "required"})
"""Keywords that hold values and no schema."""
LONGEST_SHOWN = 80
DONE_BY = "done_by"
"""In the form of a step: whether the tool is called, or a person does it. No argument has this name."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool. `reads`: an administrator says that it changes nothing; `described`: that its texts may be told to people at a step and to a model.

    Of a tool that its server offers, `reads` is what the server says.
    """

    name: str
    schema: Schema
    title: str = ""
    description: str = ""
    reads: bool = False
    described: bool = False

    @property
    def hash(self) -> str:
        """The hash of its schema."""
        return schema_hash(self.schema)

    @property
    def form(self) -> Schema:
        """The schema that a step draws its form from: without texts that nobody accepted."""
        return self.schema if self.described else plain(self.schema)

    def to_json(self) -> dict[str, Any]:
        """The tool as it is stored."""
        return {name: getattr(self, name) for name in self.__slots__}


def plain(schema: Any) -> Any:
    """The schema without texts for readers."""
    if isinstance(schema, list):
        return [plain(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {key: _plain_part(key, value) for key, value in schema.items() if key not in TEXTS}


def _plain_part(key: str, value: Any) -> Any:
    if key in NAMED and isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    return value if key in VALUES else plain(value)


def schema_hash(schema: Schema) -> str:
    """The SHA-256 of what a tool accepts, 64 hexadecimal digits: the same whatever its texts say and in whatever order."""
    return hashlib.sha256(json.dumps(plain(schema), sort_keys=True).encode()).hexdigest()


def properties(schema: Schema) -> dict[str, Schema]:
    """The schemas of the arguments by name, in order."""
    found = schema.get("properties")
    return {
        str(name): each if isinstance(each, Mapping) else {}
        for name, each in (found.items() if isinstance(found, Mapping) else ())
    }


def required(schema: Schema) -> tuple[str, ...]:
    """The arguments without which the tool is not called, in order."""
    found = schema.get("required")
    return tuple(dict.fromkeys(map(str, found))) if isinstance(found, list) else ()


def changes(before: Schema, after: Schema) -> list[str]:
    """What changed in what a tool accepts, a few words each; empty where nothing did."""
    if schema_hash(before) == schema_hash(after):
        return []
    return list(_changes(before, after)) or ["its rules for all arguments together are others"]


def _changes(before: Schema, after: Schema) -> Iterator[str]:
    old, new = properties(before), properties(after)
    for name in dict.fromkeys([*old, *new]):
        known, needed = name[:LONGEST_SHOWN], name in required(after)
        if name not in new:
            yield f"{known} is gone"
        elif name not in old:
            yield f"{known} is new{' and required' if needed else ''}"
        else:
            if schema_hash(old[name]) != schema_hash(new[name]):
                yield f"{known} takes {_shown(new[name])} in place of {_shown(old[name])}"
            if needed != (name in required(before)):
                yield f"{known} is {'required' if needed else 'not required any more'}"


def _shown(schema: Schema) -> str:
    rules = plain(schema)
    text = str(rules["type"]) if rules.keys() == {"type"} else json.dumps(rules, ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
