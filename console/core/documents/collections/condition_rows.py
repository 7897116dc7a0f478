"""Conditions as rows of field, comparison and value, and the expression that they make; both ways.

A row names a field of the record by its name alone, and anything else by its whole path. An expression that no row says is a row of text.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from console.core import currencies, expressions
from console.core.documents.collections.model import Field
from console.core.expressions import ExpressionError
from console.core.expressions.nodes import Call, Compare, Items, Junction, Literal, Node, Not, Path, Within

COMPARED = {"==": "is", "!=": "is not"}
ORDERED = {"<": "is less than", "<=": "is at most", ">": "is more than", ">=": "is at least"}
TODAY = {"past": "<", "ahead": ">="}
DATED = {
    "past": "is before today",
    "ahead": "is today or later",
    "<": "is before",
    ">=": "is on or after",
    "last": "is in the last … days",
    "older": "is more than … days ago",
    "next": "is at most … days from now",
}
WORDED = {"contains": "contains", "startsWith": "starts with"}
EMPTY = {"empty": "is empty", "filled": "is not empty"}
YES_NO = {"yes": "is yes", "no": "is no"}
EVERY: Mapping[str, str] = {**DATED, **COMPARED, "in": "is one of", **WORDED, **ORDERED, **YES_NO, **EMPTY}
FITTING: Mapping[str, Mapping[str, str]] = {
    "text": {**COMPARED, "in": "is one of", **WORDED, **EMPTY},
    "number": {**COMPARED, **ORDERED, "in": "is one of", **EMPTY},
    "amount": {**COMPARED, **ORDERED, **EMPTY},
    "day": {**DATED, **EMPTY},
    "flag": {**YES_NO, **EMPTY},
    "id": {**COMPARED, "in": "is one of", **EMPTY},
    "other": EMPTY,
    "any": {**COMPARED, **ORDERED, "in": "is one of", **WORDED, **YES_NO, **EMPTY},
}
"""Kind of field → its comparisons in words."""
VALUELESS = frozenset({*EMPTY, *YES_NO, *TODAY})
OPERATORS = frozenset({*COMPARED, *ORDERED})
"""Comparisons whose other side may come from the workspace."""
DAYS = frozenset({"last", "older", "next"})
EXPRESSION = "="
"""In place of a field: the value is an expression."""
SOURCE = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", re.ASCII)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
READER = "$currentUser."
"""Where a value begins that is of whoever looks."""
NUMBERS = frozenset({"integer", "decimal"})
MINOR_DIGITS = 2
"""Of an amount in the smallest unit of its currency, where only the record knows which currency that is."""
PER_CENT = -2
ROOTS = frozenset({"record", "former", "input", "steps", "item", "lead", "event", "selected"})
"""Where the paths begin that a row of a workflow may name."""
WORKSPACE = frozenset({"input", "selected", "me"})
"""Where those begin, besides fields of the record, that a row of a workspace may name."""


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """One condition: what a field is compared with, and how (one of `EVERY`). Several values are separated by commas.

    `source`: the path whose value is compared with, in place of a typed one. `was`: its expression in the document. `currency`: the path of the
    currency whose whole units the value counts; "": it is as the field holds it.
    """

    field: str = ""
    comparison: str = "=="
    value: str = ""
    source: str = ""
    was: str = ""
    currency: str = ""


def every_field(groups: Mapping[str, Mapping[str, Field]]) -> dict[str, Field]:
    """Return what the groups name, by its name."""
    return {name: field for group in groups.values() for name, field in group.items()}


def kind_of(field: Field) -> str:
    """Return how the field is compared: one of `FITTING`."""
    if own_currency(field):
        return "amount"
    kinds = {
        "boolean": "flag",
        "integer": "number",
        "decimal": "number",
        "date": "day",
        "datetime": "day",
        "text": "text",
        "uuid": "id",
    }
    return "any" if field.stored == "any" else kinds.get(field.stored, "other")


def comparisons(field: Field) -> Mapping[str, str]:
    """Return the comparisons that fit a field, in words."""
    return FITTING[kind_of(field)]


def offered() -> list[tuple[str, str, str]]:
    """Every comparison once for each wording: value, words, and the kinds of fields that it is for, separated by blanks."""
    found: dict[tuple[str, str], list[str]] = {}
    for kind, fitting in FITTING.items():
        for value, words in fitting.items():
            found.setdefault((value, words), []).append(kind)
    ordered = sorted(found.items(), key=lambda item: item[0][0] in EMPTY)
    return [(value, words, " ".join(kinds)) for (value, words), kinds in ordered]


def digits_of(field: Field, currency: str | None = None) -> int:
    """How many decimals an amount has in whole units, where it is held in the smallest one; -2 for a part of one, which is typed in per cent; else 0.

    `currency`: of a record, where each has its own.
    """
    if field.widget == "fraction":
        return PER_CENT
    named = currencies.decimals(currency or field.currency)
    return 0 if not field.minor else MINOR_DIGITS if named is None else named


def in_whole_units(row: ConditionRow, digits: int) -> ConditionRow:
    """The row with its amounts as they are typed: 1250 with 2 digits is 12.5."""
    if not digits or row.currency or row.comparison in VALUELESS or row.value.startswith("$currentUser."):
        return row
    parts = [(each, currencies.whole_units(each, digits)) for each in row.value.split(", ")]
    return replace(
        row, value=", ".join(each if made is None else _short(f"{made:f}") for each, made in parts)
    )


def _short(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number


def conditional(field: Field) -> bool:
    """Whether a condition may name the field: a column, not a computed field."""
    return field.computed is None and not field.hidden


# ------------------------------------------------------------------------------------------------ rows to an expression


def text_of(row: ConditionRow, fields: Mapping[str, Field]) -> str:
    """Return the expression that the row says; of a row that nobody changed as it was written. Raises ValueError with a sentence."""
    if row.field == EXPRESSION:
        return row.value.strip()
    return row.was if row.was and row == row_of(row.was, fields) else _written(row, fields)


def _written(row: ConditionRow, fields: Mapping[str, Field]) -> str:
    field, value = fields.get(row.field), row.value.strip()
    if field is None:
        raise ValueError(f"There is no field {row.field} any more: choose another one.")
    if row.comparison not in comparisons(field):
        raise ValueError(f"{field.label} cannot be compared so: choose how.")
    path = path_to(row.field, field)
    if row.source and row.comparison in OPERATORS:
        if not SOURCE.fullmatch(row.source):
            raise ValueError("Choose what it is compared with.")
        return f"{path} {row.comparison} {row.source}"
    match row.comparison:
        case "empty" | "filled":
            return f"{path} {'==' if row.comparison == 'empty' else '!='} null"
        case "yes" | "no":
            return f"{path} == {'true' if row.comparison == 'yes' else 'false'}"
        case "past" | "ahead":
            return f"{path} {TODAY[row.comparison]} today()"
    if not value:
        raise ValueError(f"Say what {field.label} is compared with.")
    match row.comparison:
        case "last" | "older" | "next":
            if not value.isdecimal() or not value.isascii():
                raise ValueError("Say a number of days.")
            if row.comparison == "next":  # a moment of that day is later than the day itself
                return (
                    f"{path} <= addDays(today(), {int(value)})"
                    if field.stored == "date"
                    else f"{path} < addDays(today(), {int(value) + 1})"
                )
            return f"{path} {'>=' if row.comparison == 'last' else '<'} addDays(today(), -{int(value)})"
        case "in" if value.startswith(READER):
            return f"{path} in {value}"
        case "in":
            return f"{path} in [{', '.join(_literal(part.strip(), row.field, field) for part in value.split(',') if part.strip())}]"
        case "contains" | "startsWith":
            return f"{path}.{row.comparison}({json.dumps(value, ensure_ascii=False)})"
    return f"{path} {row.comparison} {_literal(value, row.field, field)}"


def is_plain(name: str) -> bool:
    """Return whether a path can contain this name unquoted."""
    return name.isidentifier() and name.isascii() and not name.startswith("_")


def path_to(name: str, field: Field) -> str:
    """Return the path of the field that a row calls `name`."""
    return _beside(name, field, field.name)


def _beside(name: str, field: Field, other: str) -> str:
    """Return the path of another column of the same record."""
    root = name.removesuffix(field.name).removesuffix(".") or "record"
    return f"{root}.{other}" if is_plain(other) else f"{root}[{json.dumps(other, ensure_ascii=False)}]"


def own_currency(field: Field) -> str:
    """Return the column with the currency of each record, in whose smallest unit the amount is held; "" where all have the same."""
    return (
        str(field.currency)
        if field.minor and field.currency and currencies.decimals(field.currency) is None
        else ""
    )


def unit_of(name: str, field: Field) -> str:
    """Return the code of the currency of an amount, or the path of the column that says it; "" for what has none."""
    code = field.currency or ""
    return (
        code
        if not code or "." in code or currencies.decimals(code) is not None
        else _beside(name, field, code)
    )


def currency_path(name: str, field: Field) -> str:
    """Return the path of the currency in whose smallest unit each amount is held; "" where all have the same."""
    return unit_of(name, field) if own_currency(field) else ""


def _literal(value: str, name: str, field: Field) -> str:
    if value.startswith(READER):
        return value
    kind = kind_of(field)
    if kind == "day" and not DAY.match(value):
        raise ValueError(f"Write a day as 2026-12-31: {value} is none.")
    if kind in ("number", "amount"):
        number = currencies.whole_units(value, 0 if kind == "amount" else -digits_of(field))
        if number is None:
            raise ValueError(f"{field.label} is a number: {value} is none.")
        if kind == "amount":
            return f"minor({number:f}, {currency_path(name, field)})"
        if field.minor and number != number.to_integral_value():
            digits = digits_of(field)
            raise ValueError(
                f"{field.label} has {f'at most {digits}' if digits else 'no'} decimals: {value} has more."
            )
        return str(int(number)) if field.minor else format(number, "f")
    by_label = {option.label.casefold(): option.value for option in field.options or ()}
    known = {option.value for option in field.options or ()}
    return json.dumps(value if value in known else by_label.get(value.casefold(), value), ensure_ascii=False)


_SIGN = re.compile(
    r"(?:\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')|(?P<open>[(\[])|(?P<close>[)\]])|&&|\|\|", re.DOTALL
)


def parts_of(text: str) -> tuple[str, list[str]]:
    """Return (`all` or `any`, the conditions that the expression joins so): what joins none is the only one."""
    for joined, sign in (("any", "||"), ("all", "&&")):
        parts, depth, begins = list[str](), 0, 0
        for found in _SIGN.finditer(text):
            depth += bool(found["open"]) - bool(found["close"])
            if found[0] == sign and not depth:
                parts.append(text[begins : found.start()].strip())
                begins = found.end()
        if parts:
            return joined, [*parts, text[begins:].strip()]
    return "all", [text.strip()] if text.strip() else []


def together(texts: Sequence[str], joined: str, before: str = "") -> str:
    """Return the conditions as one expression; as it was written `before` where that says the same."""
    if len(texts) > 1 and joined == "all":
        texts = [f"({text})" if parts_of(text)[0] == "any" else text for text in texts]
    made = (" || " if joined == "any" else " && ").join(texts)
    with suppress(ExpressionError):
        return before if before and _meaning(made) == _meaning(before) else made
    return made


# ------------------------------------------------------------------------------------------------ an expression to rows


def path_of(node: Any) -> str:
    """Return the dotted path that leads by names alone, as `steps.ask.reason`; "" for anything else."""
    plain = (
        isinstance(node, Path)
        and node.root in ROOTS
        and all(isinstance(step, str) and is_plain(step) for step in node.steps)
    )
    return node.dotted if plain and node.steps else ""


def name_of(node: Any) -> str:
    """Return how a row names what the path leads to; "" for what no row names."""
    if not isinstance(node, Path) or not all(isinstance(step, str) for step in node.steps):
        return ""
    if node.root == "record":
        return str(node.steps[0]) if len(node.steps) == 1 else ""
    return node.dotted if node.root in WORKSPACE else ""


def rows_of(
    text: str, fields: Mapping[str, Field] | None = None, named: Callable[[Any], str] = name_of
) -> tuple[str, list[ConditionRow]] | None:
    """Return (`all` or `any`, rows); None for an expression that rows cannot say. `named`: how a path is called in a row, "" where none may name it.

    With `fields` amounts are as they are typed, and None also where a plain number is compared with amounts that each have a currency of their own:
    no whole amount says that.
    """
    try:
        node = expressions.parse(text).node
    except ExpressionError:
        return None
    joined, parts = (node.kind, node.items) if isinstance(node, Junction) else ("all", (node,))
    rows = [row for part in parts if (row := _typed(_row(part, named), fields or {})) is not None]
    return (joined, rows) if len(rows) == len(parts) else None


def _typed(row: ConditionRow | None, fields: Mapping[str, Field]) -> ConditionRow | None:
    field = fields.get(row.field) if row is not None else None
    if row is None or field is None:
        return row
    if row.comparison not in VALUELESS and not row.source and row.currency != currency_path(row.field, field):
        return None
    return in_whole_units(row, digits_of(field))


def row_of(text: str, fields: Mapping[str, Field]) -> ConditionRow:
    """Return the row that says exactly this expression; a row of text where none does."""
    found = rows_of(text, fields)
    with suppress(ValueError, ExpressionError):
        if found is not None and len(found[1]) == 1:
            row = replace(found[1][0], was=text, currency="")
            if _meaning(_written(row, fields)) == _meaning(text):
                return row
    return ConditionRow(EXPRESSION, value=text, was=text)


def _meaning(text: str) -> str:
    """Return the tree of the expression without where its parts stand: spacing is no difference. Raises ExpressionError."""
    return re.sub(r"position=[0-9]+", "", repr(expressions.parse(text).node))


def _row(node: Node, named: Callable[[Any], str]) -> ConditionRow | None:
    match node:
        case Compare(
            left=Path() as amount,
            right=Call(name="minor", arguments=(Literal(value=int() | Decimal() as value), Path() as code)),
        ):
            of, currency = named(amount), path_of(code)
            return (
                ConditionRow(of, node.operator, _shown(value), currency=currency) if of and currency else None
            )
        case Compare(
            left=Path() as path, right=Path(root="input" | "selected" | "me", steps=steps) as other
        ) if SOURCE.fullmatch(other.dotted):
            of = named(path) if len(other.names) == len(steps) + 1 else ""
            return ConditionRow(of, node.operator, source=other.dotted) if of else None
    found = _compared(node)
    if found is None or found[2] is None:
        return None
    name = named(found[0])
    return ConditionRow(name, found[1], found[2]) if name else None


def _compared(node: Node) -> tuple[Node, str, str | None] | None:
    """(what is compared, how, with what); None for what no row says."""
    match node:
        case Path():
            return node, "yes", ""
        case Not(item=Path() as path):
            return path, "no", ""
        case Within(item=Path() as path, list=Items(items=items)) if all(
            isinstance(item, Literal) for item in items
        ):
            values = [_shown(item.value) for item in items if isinstance(item, Literal)]
            return path, "in", None if any("," in value for value in values) else ", ".join(values)
        case Call(
            name="contains" | "startsWith",
            method=True,
            arguments=(Path() as path, Literal(value=str() as value)),
        ):
            return path, node.name, value
        case Compare(left=Path() as path, right=Literal(value=None), operator="==" | "!="):
            return path, "empty" if node.operator == "==" else "filled", ""
        case Compare(left=Path() as path, right=Literal(value=bool() as value), operator="=="):
            return path, "yes" if value else "no", ""
        case Compare(left=Path() as path, right=Literal(value=value)):
            return path, node.operator, _shown(value)
        case Compare(left=Path() as path, right=Path(root="$currentUser") as whose):
            return path, node.operator, whose.dotted
        case Compare(left=Path() as path, right=Call(name="today"), operator="<" | ">="):
            return path, "past" if node.operator == "<" else "ahead", ""
        case Compare(
            left=Path() as path,
            right=Call(name="addDays", arguments=(Call(name="today"), Literal(value=int() as days))),
        ):
            ways = {(">=", True): "last", ("<", True): "older", ("<", False): "next", ("<=", False): "next"}
            way = ways.get((node.operator, days <= 0))
            return (
                (path, way, str(days - (node.operator == "<") if way == "next" else -days)) if way else None
            )
    return None


def _shown(value: Any) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)


# ------------------------------------------------------------------------------------------------ in words


def row_words(row: ConditionRow, field: Field | None) -> str:
    """Return a condition in words: "Risk is one of High, Medium"; of a field that is not known by its name."""
    words = (comparisons(field) if field else EVERY).get(row.comparison, row.comparison)
    labels = {option.value: option.label for option in field.options or ()} if field else {}
    value = ", ".join(labels.get(part, part) for part in row.value.split(", "))
    if field and field.currency and row.comparison not in VALUELESS:
        value += (
            f" {'in its own currency' if currencies.decimals(field.currency) is None else field.currency}"
        )
    elif field and field.widget == "fraction" and row.comparison not in VALUELESS:
        value += " %"
    return f"{field.label if field else row.field} {words.replace('…', value) if '…' in words else f'{words} {value}'.strip()}"


def sentence(text: str, fields: Mapping[str, Field], named: Callable[[Any], str] = name_of) -> str:
    """Return the expression in words, as far as rows of conditions can say it; else the expression."""
    found = rows_of(text, fields, named)
    if found is None or any(row.source for row in found[1]):
        return text
    return (" or " if found[0] == "any" else " and ").join(
        row_words(row, fields.get(row.field)) for row in found[1]
    )
