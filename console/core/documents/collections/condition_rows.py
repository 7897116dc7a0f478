"""Conditions as rows of field, comparison and value, and the expression that they make; both ways.

An expression that is more than rows joined by one "and" or one "or" has no rows: it is edited as text.
"""

import json
from collections.abc import Callable, Mapping, Sequence
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
NUMBERS = frozenset({"integer", "decimal"})
MINOR_DIGITS = 2
"""Of an amount in the smallest unit of its currency, where only the record knows which currency that is."""
PER_CENT = -2
ROOTS = frozenset({"record", "former", "input", "steps", "item", "lead", "event", "selected"})
"""Where the paths begin that a row of a workflow or of a workspace may name."""


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """One condition: name of a field, one of the comparisons in `EVERY`, and the value as typed; several values are separated by commas.

    `currency`: the path of the currency whose whole units the value counts; "": it is as the field holds it.
    """

    field: str
    comparison: str
    value: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with one row, by its number from 0."""

    row: int
    reason: str


def kind_of(field: Field) -> str:
    """How the field is compared: one of `FITTING`."""
    kinds = {
        "boolean": "flag",
        "integer": "number",
        "decimal": "number",
        "date": "day",
        "datetime": "day",
        "text": "text",
        "uuid": "id",
    }
    return kinds.get(field.stored, "other")


def comparisons(field: Field) -> Mapping[str, str]:
    """The comparisons that fit a field, in words."""
    return FITTING["amount" if own_currency(field) else kind_of(field)]


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


def expression_of(
    rows: Sequence[ConditionRow], joined: str, fields: Mapping[str, Field], root: str = "record"
) -> tuple[str, list[Wrong]]:
    """(expression, what is wrong). `joined` is `all` or `any`; rows without a field are left out. `root`: where the paths of the fields begin."""
    parts: list[str] = []
    wrong: list[Wrong] = []
    for number, row in enumerate(rows):
        if not row.field:
            continue
        field = fields.get(row.field)
        if field is None:
            wrong.append(Wrong(number, f"There is no field {row.field} any more: choose another one."))
            continue
        try:
            parts.append(_text(row, field, root))
        except ValueError as error:
            wrong.append(Wrong(number, str(error)))
    if not parts and not wrong:
        wrong.append(Wrong(0, "Choose a field, or nothing would be left out."))
    return (" || " if joined == "any" else " && ").join(parts), wrong


def _text(row: ConditionRow, field: Field, root: str) -> str:
    """The condition as an expression. Raises ValueError with a sentence."""
    if row.comparison not in comparisons(field):
        raise ValueError(f"{field.label} cannot be compared so: choose how.")
    path, value = _path(field.name, root), row.value.strip()
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
        case "in":
            return f"{path} in [{', '.join(_literal(part.strip(), field, root) for part in value.split(',') if part.strip())}]"
        case "contains" | "startsWith":
            return f"{path}.{row.comparison}({json.dumps(value, ensure_ascii=False)})"
    return f"{path} {row.comparison} {_literal(value, field, root)}"


def _plain(name: str) -> bool:
    return name.isidentifier() and name.isascii() and not name.startswith("_")


def _path(name: str, root: str) -> str:
    return f"{root}.{name}" if _plain(name) else f"{root}[{json.dumps(name, ensure_ascii=False)}]"


def own_currency(field: Field) -> str:
    """The column with the currency of each record, in whose smallest unit the amount is held; "" where all have the same."""
    return (
        str(field.currency)
        if field.minor and field.currency and currencies.decimals(field.currency) is None
        else ""
    )


def _literal(value: str, field: Field, root: str) -> str:
    if value.startswith("$currentUser."):
        return value
    if column := own_currency(field):
        number = currencies.whole_units(value, 0)
        if number is None:
            raise ValueError(f"{field.label} is a number: {value} is none.")
        return f"minor({number:f}, {_path(column, root)})"
    if field.stored in NUMBERS:
        number = currencies.whole_units(value, -(digits := digits_of(field)))
        if number is None:
            raise ValueError(f"{field.label} is a number: {value} is none.")
        if field.minor and number != number.to_integral_value():
            raise ValueError(
                f"{field.label} has {f'at most {digits}' if digits else 'no'} decimals: {value} has more."
            )
        return str(int(number)) if field.minor else format(number, "f")
    by_label = {option.label.casefold(): option.value for option in field.options or ()}
    known = {option.value for option in field.options or ()}
    return json.dumps(value if value in known else by_label.get(value.casefold(), value), ensure_ascii=False)


# ------------------------------------------------------------------------------------------------ an expression to rows


def path_of(node: Any) -> str:
    """The dotted path that leads by names alone, as `steps.ask.reason`; "" for anything else."""
    plain = (
        isinstance(node, Path)
        and node.root in ROOTS
        and all(isinstance(step, str) and _plain(step) for step in node.steps)
    )
    return node.dotted if plain and node.steps else ""


def _field_of(node: Any) -> str:
    """The field of the record that a path names; "" where it leads further."""
    plain = (
        isinstance(node, Path)
        and node.root == "record"
        and len(node.steps) == 1
        and isinstance(node.steps[0], str)
    )
    return str(node.steps[0]) if plain else ""


def rows_of(
    text: str, named: Callable[[Any], str] = _field_of, fields: Mapping[str, Field] | None = None
) -> tuple[str, list[ConditionRow]] | None:
    """(`all` or `any`, rows); None for an expression that rows cannot say. `named`: how a path is called in a row, "" where none may name it.

    With `fields`, None also where a plain number is compared with amounts that each have a currency of their own: no whole amount says that.
    """
    try:
        node = expressions.parse(text).node
    except ExpressionError:
        return None
    joined, parts = (node.kind, node.items) if isinstance(node, Junction) else ("all", (node,))
    rows = [_row(part, named) for part in parts]
    said = [row for row in rows if row is not None and not _of_smallest_units(row, fields or {})]
    return (joined, said) if len(said) == len(parts) else None


def _of_smallest_units(row: ConditionRow, fields: Mapping[str, Field]) -> bool:
    field = fields.get(row.field)
    return (
        field is not None
        and bool(own_currency(field))
        and not row.currency
        and row.comparison not in VALUELESS
    )


def _row(node: Node, named: Callable[[Any], str]) -> ConditionRow | None:
    match node:
        case Compare(
            left=Path() as amount,
            right=Call(name="minor", arguments=(Literal(value=int() | Decimal() as value), Path() as code)),
        ):
            of, currency = named(amount), path_of(code)
            return ConditionRow(of, node.operator, _shown(value), currency) if of and currency else None
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
