"""Values of a step as people enter them: a literal by the type of its field, a field by its label, or an expression."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.core.documents.collections import Field, condition_rows
from console.core.expressions import ExpressionError, parse
from console.core.expressions.nodes import Literal

YES_NO = (("true", "Yes"), ("false", "No"))
DAYS = (("today()", "Today"), ("addDays(today(), 1)", "Tomorrow"), ("addDays(today(), 7)", "In 7 days"))


@dataclass(frozen=True, slots=True)
class Value:
    """What is in the box of a value.

    `text` is what people read; `expression` is what it represents, "" where the page works it out of the text. `options` are (expression,
    label) of what fits the field, `kind` how its values are written, `collection` that whose records it refers to. `strict`: the text is taken
    as it is, "text" or "expression", whatever it looks like.
    """

    text: str
    expression: str = ""
    kind: str = ""
    options: Sequence[tuple[str, str]] = ()
    collection: str = ""
    strict: str = ""


def read_value(raw: str, field: Field | None, known: Mapping[str, Field]) -> Value:
    """Return how the value of a field is shown; `known`: path → what expressions may name."""
    kind = condition_rows.kind_of(field) if field is not None else ""
    options = _options(field, kind)
    labels = dict(options)
    collection = (field.references or "") if field is not None else ""
    if raw in labels or raw in known:
        text = labels[raw] if raw in labels else known[raw].label
        return Value(text, raw, kind, options, collection)
    try:
        node = parse(raw).node if raw else None
    except ExpressionError:
        return Value(raw, "", kind, options, collection, "" if "{{" in raw else "expression")
    if isinstance(node, Literal) and isinstance(node.value, str):
        return Value(node.value, raw, kind, options, collection)
    return Value(raw, raw, kind, options, collection)


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
