"""Comparing a proposal with the submitted values, field by field: what people accepted and what they changed."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from console.core.forms import is_empty
from console.core.papers import similarity
from console.core.run.proposal import DECLINED, HIDDEN_MODES, READY, SECOND, fills

OUTCOME = "outcome"
"""The name under which the choice is compared."""
SMALL = 0.05
"""The part of a long text that may be changed for it to be a small edit."""
LONGEST_COMPARED = 20_000
CENT = Decimal("0.01")
NUMBERS, TICKS = frozenset({"integer", "decimal", "money"}), frozenset({"multi_enum", "checklist", "array"})
EXACT = frozenset({"boolean", "enum", "reference", "date", "time", "json"})

SPACING = re.compile(r"\s+")


def outcomes(
    proposal: Mapping[str, Any],
    types: Mapping[str, str],
    values: Mapping[str, Any],
    choice: str | None,
    *,
    manual: bool,
) -> dict[str, str]:
    """Field (`outcome`: the choice) → accepted, small_edit, edited, cleared or ignored; blind_equal or blind_different if it was not shown.

    `types` are the types of the form's fields. Values that are not in the form, such as highlights, are not compared.
    """
    if proposal["status"] != "ready":
        return {}
    blind = proposal["mode"] in HIDDEN_MODES
    by_field = {
        each["name"]: _field(
            each,
            types[each["name"]],
            values.get(each["name"]),
            fill=proposal["fill"],
            blind=blind,
            manual=manual,
        )
        for each in proposal["fields"]
        if each["name"] in types and each["name"] in values
    }
    if proposal["outcome"] is not None and choice is not None:
        same = proposal["outcome"] == choice
        by_field[OUTCOME] = (
            ("blind_equal" if same else "blind_different")
            if blind
            else "ignored"
            if manual
            else "accepted"
            if same
            else "edited"
        )
    return by_field


def _field(
    proposed: Mapping[str, Any], kind: str, given: Any, *, fill: str, blind: bool, manual: bool
) -> str:
    how_alike = likeness(kind, proposed["value"], given)
    if blind:
        return "blind_equal" if how_alike in ("equal", "small") else "blind_different"
    if manual:
        return "ignored"
    if how_alike == "equal":
        return "accepted"
    if is_empty(given):
        filled = fills(proposed["confidence"], fill)
        return "cleared" if filled else "ignored"
    return "small_edit" if how_alike == "small" else "edited"


def doubts(proposal: Mapping[str, Any], types: Mapping[str, str]) -> dict[str, Mapping[str, Any] | None]:
    """Fields where the second look differs (`outcome`: the choice) → what it would propose instead, None for nothing."""
    second = proposal.get(SECOND) or {}
    if second.get("status") not in (READY, DECLINED):
        return {}
    second_fields = {str(each["name"]): each for each in second["fields"]}
    by_field: dict[str, Mapping[str, Any] | None] = {
        name: second_fields.get(name)
        for each in proposal["fields"]
        if (name := str(each["name"])) in types
        and (
            name not in second_fields
            or likeness(types[name], each["value"], second_fields[name]["value"]) == "different"
        )
    }
    if proposal["choice"] and proposal["outcome"] != second["outcome"]:
        by_field[OUTCOME] = {**second["choice"], "value": second["outcome"]} if second["choice"] else None
    return by_field


def likeness(kind: str, left: Any, right: Any) -> str:
    """How similar two values of a field are: `equal` (numbers to the cent, texts without case and spaces), `small` (a long text with at most 5 %
    changed) or `different`.
    """
    if is_empty(left) or is_empty(right):
        return "equal" if is_empty(left) and is_empty(right) else "different"
    if kind in NUMBERS:
        return _verdict(_number(left, right))
    if kind in TICKS:
        return _verdict(
            left == right
            or (
                isinstance(left, list)
                and isinstance(right, list)
                and sorted(map(str, left)) == sorted(map(str, right))
            )
        )
    if kind == "datetime":
        return _verdict(_moment(left, right))
    if kind in EXACT or not (isinstance(left, str) and isinstance(right, str)):
        return _verdict(left == right and isinstance(left, bool) == isinstance(right, bool))
    if _bare(left) == _bare(right):
        return "equal"
    return "small" if kind == "long_text" and _near(left, right) else "different"


def _verdict(equal: bool) -> str:
    return "equal" if equal else "different"


def _number(left: Any, right: Any) -> bool:
    try:
        return Decimal(str(left)).quantize(CENT) == Decimal(str(right)).quantize(CENT)
    except InvalidOperation:
        return str(left).strip() == str(right).strip()


def _moment(left: Any, right: Any) -> bool:
    try:
        return datetime.fromisoformat(str(left)) == datetime.fromisoformat(str(right))
    except (ValueError, TypeError):
        return bool(left == right)


def _bare(text: str) -> str:
    return SPACING.sub("", text).casefold()


def _near(left: str, right: str) -> bool:
    """Whether at most 5 % of the characters differ. Of very long texts only the beginnings are compared."""
    first, second = (SPACING.sub(" ", text.strip()).casefold()[:LONGEST_COMPARED] for text in (left, right))
    return similarity.distance(first, second) <= SMALL * max(len(first), len(second))
