"""Evaluating the tree of an expression with three truth values: true, false, unknown."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from console.core.expressions import operands
from console.core.expressions.functions import FUNCTIONS, METHODS, Function
from console.core.expressions.nodes import (
    Calculation,
    Call,
    Compare,
    Items,
    Junction,
    Literal,
    Node,
    Not,
    Path,
    Within,
)
from console.core.expressions.operands import UNKNOWN, moment_of
from console.core.related_record import Leading

Roots: TypeAlias = Mapping[str, Any]
Evaluate: TypeAlias = Callable[[Roots], Any]


def compiled(node: Node) -> Evaluate:
    """A function from roots to the value of the node."""
    match node:
        case Literal(value=value):
            return lambda _: value
        case Items(items=items):
            parts = [compiled(item) for item in items]
            return lambda roots: [part(roots) for part in parts]
        case Path():
            return _path(node)
        case Not(item=item):
            inner = compiled(item)
            return lambda roots: operands.negated(inner(roots))
        case Junction(kind=kind, items=items):
            return _junction([compiled(item) for item in items], decisive=kind == "any")
        case Compare():
            return _comparison(node)
        case Within(item=item, list=items):
            one, many = compiled(item), compiled(items)
            return lambda roots: operands.member(one(roots), many(roots))
        case Calculation():
            return _calculation(node)
        case Call(name=name, method=method, arguments=arguments):
            return _call(
                (METHODS if method else FUNCTIONS)[name], [compiled(argument) for argument in arguments]
            )


def _path(node: Path) -> Evaluate:
    root = "currentUser" if node.root == "$currentUser" else node.root
    if node.root == "now" and not node.steps:
        return lambda roots: _now(roots) or UNKNOWN
    steps = node.steps

    def reach(roots: Roots) -> Any:
        value = roots.get(root, UNKNOWN)
        for number, step in enumerate(steps, 1):
            if (
                isinstance(value, Leading)
                and isinstance(step, str)
                and number < len(steps)
                and (there := value.led(step)) is not None
            ):
                value = there
            elif isinstance(step, str) and isinstance(value, Mapping):
                value = value.get(step, UNKNOWN)
            elif isinstance(step, int) and isinstance(value, (list, tuple)) and step < len(value):
                value = value[step]
            else:
                return UNKNOWN
        return value

    return reach


def _now(roots: Roots) -> datetime | None:
    return moment_of(roots.get("now"))


def _junction(parts: list[Evaluate], decisive: bool) -> Evaluate:
    """`decisive` is the value that decides alone: true for `any`, false for `all`."""

    def settle(roots: Roots) -> Any:
        result: Any = not decisive
        for part in parts:
            value = part(roots)
            if value is decisive:
                return decisive
            if not isinstance(value, bool):
                result = UNKNOWN
        return result

    return settle


def _comparison(node: Compare) -> Evaluate:
    left, right = compiled(node.left), compiled(node.right)
    match node.operator:
        case "==":
            return lambda roots: operands.equal(left(roots), right(roots))
        case "!=":
            return lambda roots: operands.negated(operands.equal(left(roots), right(roots)))
    wanted = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}[node.operator]

    def order(roots: Roots) -> Any:
        found = operands.ordered(left(roots), right(roots))
        return UNKNOWN if found is UNKNOWN else found in wanted

    return order


def _calculation(node: Calculation) -> Evaluate:
    operations = {"+": operands.plus, "-": operands.less, "*": operands.times, "/": operands.divide}
    first = compiled(node.first)
    rest = [(operations[operator], compiled(item)) for operator, item in node.rest]

    def calculate(roots: Roots) -> Any:
        value = first(roots)
        for operation, item in rest:
            value = operation(value, item(roots))
        return value

    return calculate


def _call(function: Function, arguments: list[Evaluate]) -> Evaluate:
    call = function.call
    return lambda roots: call(_now(roots), *(argument(roots) for argument in arguments))
