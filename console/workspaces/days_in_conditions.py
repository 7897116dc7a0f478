"""Days in the conditions of workspaces: a moment is compared with a day as its reader has it, from midnight to midnight in their time zone."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from console.core.documents.collections import Collection
from console.core.expressions import Expression, nodes
from console.core.moments import midnight

TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def with_midnights(
    expression: Expression, is_moment: Callable[[nodes.Path], bool], roots: Mapping[str, Any], zone: str
) -> Expression:
    """The condition with moments in place of the days with which moments are compared: `<=` a day holds until it ends."""

    def written(node: nodes.Node) -> nodes.Node:
        match node:
            case nodes.Junction(items=items):
                return replace(node, items=tuple(map(written, items)))
            case nodes.Not(item=item):
                return replace(node, item=written(item))
            case nodes.Compare(operator=operator, left=left, right=right):
                for moment, other, read in (
                    (left, right, operator),
                    (right, left, TURNED.get(operator, operator)),
                ):
                    if (
                        isinstance(moment, nodes.Path)
                        and is_moment(moment)
                        and (day := _day(other, roots)) is not None
                    ):
                        return _within(node, read, moment, day, zone)
        return node

    made = written(expression.node)
    return expression if made == expression.node else Expression(f"{expression.text} (days of {zone})", made)


def of_record(collection: Collection) -> Callable[[nodes.Path], bool]:
    """Whether a path leads to a moment of the record."""

    def is_moment(path: nodes.Path) -> bool:
        field = (
            collection.by_name.get(str(path.steps[0]))
            if path.root == "record" and len(path.steps) == 1
            else None
        )
        return field is not None and field.stored == "datetime"

    return is_moment


def _day(node: nodes.Node, roots: Mapping[str, Any]) -> date | None:
    """The day that this comes to whatever the record is, or None."""
    if any(isinstance(each, nodes.Path) and each.root == "record" for each in nodes.walk(node)):
        return None
    value = Expression("", node).value(roots)
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _within(node: nodes.Compare, operator: str, moment: nodes.Node, day: date, zone: str) -> nodes.Node:
    try:
        begins, ends = (nodes.Literal(midnight(each, zone)) for each in (day, day + timedelta(days=1)))
    except OverflowError:
        return node

    def compared(how: str, with_: nodes.Literal) -> nodes.Compare:
        return replace(node, operator=how, left=moment, right=with_)

    match operator:
        case ">=" | "<":
            return compared(operator, begins)
        case ">":
            return compared(">=", ends)
        case "<=":
            return compared("<", ends)
    same = nodes.Junction("all", (compared(">=", begins), compared("<", ends)), node.depth)
    if operator == "==":
        return same
    other = (
        compared("<", begins),
        compared(">=", ends),
        replace(node, operator="==", left=moment, right=nodes.Literal(None)),
    )
    return nodes.Junction("any", other, node.depth)
