"""From a figure to the records behind it: conditions of a workspace as the filter in the address of a list."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from console.core.expressions import Expression, nodes
from console.core.expressions.currency_comparisons import for_each_currency
from console.records import Chosen
from console.views import frame

OPS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
EVERYTHING: dict[str, Any] = {}
"""The filter of a condition that holds whatever the record is."""
TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def records_url(collection: str, segment: str | None, conditions: Sequence[Any]) -> str:
    """The address of the list with these conditions, filters as JSON values."""
    if not conditions:
        return frame.collection_url(collection, segment=segment or "")
    condition = conditions[0] if len(conditions) == 1 else {"and": list(conditions)}
    return frame.collection_url(
        collection,
        segment=segment or "",
        filter=json.dumps(condition, ensure_ascii=False, separators=(",", ":")),
    )


def filters_of(conditions: Sequence[Chosen], roots: Mapping[str, Any]) -> list[Any] | None:
    """The conditions as filters of a list; None if one of them is more than a list's filter can say."""
    made = [_filter(each.node, roots) if isinstance(each, Expression) else None for each in conditions]
    return None if None in made else [each for each in made if each != EVERYTHING]


def of_value(name: str, value: Any) -> dict[str, Any]:
    """Records with this value."""
    return (
        {"field": name, "op": "is_null", "value": True}
        if value is None
        else {"field": name, "op": "eq", "value": value}
    )


def of_others(name: str, values: Sequence[Any]) -> dict[str, Any]:
    """Records with none of these values."""
    others = {"and": [{"field": name, "op": "ne", "value": value} for value in values if value is not None]}
    if None in values:
        return {"and": [*others["and"], {"field": name, "op": "is_null", "value": False}]}
    return {"or": [others, {"field": name, "op": "is_null", "value": True}]}


def of_period(name: str, first: Any, after: Any) -> list[dict[str, Any]]:
    """Records whose day or moment is in the period."""
    return [{"field": name, "op": "gte", "value": first}, {"field": name, "op": "lt", "value": after}]


def _filter(node: nodes.Node, roots: Mapping[str, Any]) -> Any:
    if not _about_record(node):
        return EVERYTHING if Expression("", node).test(roots) else None
    if (by_currency := for_each_currency(node)) is not None:
        return _joined("any", [nodes.Junction("all", pair, 4) for pair in by_currency], roots)
    match node:
        case nodes.Junction(kind=kind, items=items):
            return _joined(kind, items, roots)
        case nodes.Compare(operator=operator, left=left, right=right):
            if (name := _field(left)) is not None:
                return _test(name, OPS[operator], right, roots)
            if (name := _field(right)) is not None:
                return _test(name, OPS[TURNED.get(operator, operator)], left, roots)
        case nodes.Within(item=item, list=listed) if (name := _field(item)) is not None:
            return _test(name, "in", listed, roots)
        case nodes.Not(
            item=nodes.Compare(operator="==", left=left, right=right, position=position, depth=depth)
        ):
            return _filter(nodes.Compare("!=", left, right, position, depth), roots)
        case nodes.Not(item=nodes.Within(item=item, list=listed)) if (
            name := _field(item)
        ) is not None and not _about_record(listed):
            values = Expression("", listed).evaluate(roots)
            tests = [_plain_test(name, "ne", value) for value in values] if isinstance(values, list) else []
            return {"and": tests} if tests else None
    return None


def _joined(kind: str, items: Sequence[nodes.Node], roots: Mapping[str, Any]) -> Any:
    """All or any of the conditions; those that say nothing of a record hold or do not hold already."""
    parts = [
        _filter(item, roots)
        for item in items
        if kind == "all" or _about_record(item) or Expression("", item).test(roots)
    ]
    if None in parts or (kind == "any" and not parts):
        return None
    if kind == "any" and EVERYTHING in parts:
        return EVERYTHING
    parts = [part for part in parts if part != EVERYTHING]
    return parts[0] if len(parts) == 1 else {"and" if kind == "all" else "or": parts} if parts else EVERYTHING


def _about_record(node: nodes.Node) -> bool:
    return any(isinstance(each, nodes.Path) and each.root == "record" for each in nodes.walk(node))


def _field(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Path) and node.root == "record" and len(node.steps) == 1:
        return str(node.steps[0])
    return None


def _test(name: str, op: str, side: nodes.Node, roots: Mapping[str, Any]) -> Any:
    if _about_record(side):
        return None
    return _plain_test(name, op, Expression("", side).evaluate(roots))


def _plain_test(name: str, op: str, value: Any) -> Any:
    if value is None:
        return {"field": name, "op": op, "value": None} if op in ("eq", "ne") else None
    return {"field": name, "op": op, "value": value.isoformat() if isinstance(value, date) else value}
