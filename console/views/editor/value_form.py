"""Values of a step as people enter them: a literal by the type of its field, a field by its label, or an expression."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from console import browse
from console.core.documents.collections import Field, condition_rows
from console.core.expressions import ExpressionError, parse
from console.core.expressions.nodes import Call, Items, Literal, Path, walk
from console.views import formats, frame
from console.views.browse import reference_boxes

YES_NO = (("true", "Yes"), ("false", "No"))
DAYS = (("today()", "Today"), ("addDays(today(), 1)", "Tomorrow"), ("addDays(today(), 7)", "In 7 days"))


@dataclass(frozen=True, slots=True)
class Value:
    """What is in the box of a value.

    `text` is what people read; `expression` is what it represents, "" where the page works it out of the text. `options` are (expression,
    label) of what fits the field, `kind` how its values are written, `collection` that whose records it refers to. `taken`: it is "text" or an
    "expression", which `written` would take for the other where it is `strict`.
    """

    text: str
    expression: str = ""
    kind: str = ""
    options: Sequence[tuple[str, str]] = ()
    collection: str = ""
    taken: str = ""

    @property
    def strict(self) -> str:
        """How the text is taken, where it was chosen."""
        return self.taken if (written(self.text) == self.text) == (self.taken == "text") else ""


def read_value(raw: str, field: Field | None, known: Mapping[str, Field]) -> Value:
    """Return how the value of a field is shown; `known`: path → what expressions may name."""
    kind = condition_rows.kind_of(field) if field is not None else ""
    options = _options(field, kind)
    labels = dict(options)
    collection = (field.references or "") if field is not None else ""
    if raw in labels or raw in known:
        text = labels[raw] if raw in labels else known[raw].label
        return Value(text, raw, kind, options, collection)
    node = None
    with suppress(ExpressionError):
        node = parse(raw).node
    if not isinstance(node, Literal):
        return Value(raw, raw, kind, options, collection, "expression" if raw else "")
    if field is not None and (name := _name(field, node.value)):
        return Value(name, raw, kind, options, collection)
    return (
        Value(node.value, raw, kind, options, collection, "text")
        if isinstance(node.value, str)
        else Value(raw, raw, kind, options, collection)
    )


def written(text: str) -> str:
    """Return the expression that a typed text stands for: itself where it reads or calls something or is a literal, else the text."""
    with suppress(ExpressionError):
        node = parse(text).node
        if isinstance(node, Literal | Items) or any(
            isinstance(each, Call) or (isinstance(each, Path) and each.steps) for each in walk(node)
        ):
            return text
    return json.dumps(text, ensure_ascii=False)


def _name(field: Field, value: Any) -> str:
    """Return the name of the record that a value refers to; empty where the reader may not know it."""
    if not field.references or value is None:
        return ""
    look = frame.naming(browse.names_of(frame.actor(), {(field.references, str(value))}), frame.look())
    return reference_boxes.name_of(formats.kind(field), value, look)


def _options(field: Field | None, kind: str) -> Sequence[tuple[str, str]]:
    if field is None:
        return ()
    if kind == "flag":
        return YES_NO
    if kind == "day":
        return DAYS
    if field.references:
        return ()
    plain = kind in ("number", "amount")
    return [
        (each.value if plain else json.dumps(each.value, ensure_ascii=False), each.label)
        for each in field.options or ()
    ]
