"""From a figure to the records behind it: conditions of a workspace as the filter in the address of a list."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from console.core.expressions import Expression, nodes
from console.records import Chosen
from console.views import frame

OPS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def records_url(collection: str, segment: str | None, conditions: Sequence[Any]) -> str:
    """The address of the list with these conditions, filters as JSON values."""
    if not conditions:
        return frame.collection_url(collection, segment=segment or "")
    condition = conditions[0] if len(conditions) == 1 else {"and": list(conditions)}
    return frame.collection_url(collection, segment=segment or "", filter=json.dumps(condition, ensure_ascii=False, separators=(",", ":")))


def filters_of(conditions: Sequence[Chosen], roots: Mapping[str, Any]) -> list[Any] | None:
    """The conditions as filters of a list; None if one of them is more than a list's filter can say."""
    found = []
    for each in conditions:
        made = _filter(each.node, roots) if isinstance(each, Expression) else None
        if made is None:
            return None
        found.append(made)
    return found


def of_value(name: str, value: Any) -> dict[str, Any]:
    """Records with this value."""
    return {"field": name, "op": "is_null", "value": True} if value is None else {"field": name, "op": "eq", "value": value}


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
    match node:
        case nodes.Junction(kind=kind, items=items):
            parts = [_filter(item, roots) for item in items]
            return None if any(part is None for part in parts) else {"and" if kind == "all" else "or": parts}
        case nodes.Compare(operator=operator, left=left, right=right):
            if (name := _field(left)) is not None:
                return _test(name, OPS[operator], right, roots)
            if (name := _field(right)) is not None:
                return _test(name, OPS[TURNED.get(operator, operator)], left, roots)
        case nodes.Within(item=item, list=listed) if (name := _field(item)) is not None:
            return _test(name, "in", listed, roots)
    return None


def _field(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Path) and node.root == "record" and len(node.steps) == 1:
        return str(node.steps[0])
    return None


def _test(name: str, op: str, side: nodes.Node, roots: Mapping[str, Any]) -> Any:
    if any(isinstance(each, nodes.Path) and each.root == "record" for each in nodes.walk(side)):
        return None
    value = Expression("", side).evaluate(roots)
    if value is None:
        return {"field": name, "op": "is_null", "value": op == "eq"} if op in ("eq", "ne") else None
    return {"field": name, "op": op, "value": value.isoformat() if isinstance(value, date) else value}
