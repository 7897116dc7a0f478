"""The syntax tree of an expression.

`depth` counts levels, parentheses included; `position` is the offset of the first character in the text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written in the expression."""

    value: Any
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Items:
    """A list written in the expression."""

    items: tuple["Node", ...]
    depth: int


@dataclass(frozen=True, slots=True)
class Path:
    """A value reached from a root by names and list indexes: `steps.load.record.email`."""

    root: str
    steps: tuple[str | int, ...]
    position: int
    depth: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        """The root and the names after it, up to the first list index."""
        return (self.root, *takewhile(lambda step: isinstance(step, str), self.steps))  # type: ignore[arg-type]

    @property
    def dotted(self) -> str:
        """The path as written, up to the first list index."""
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    item: "Node"
    depth: int


@dataclass(frozen=True, slots=True)
class Junction:
    """`all` of the conditions, or `any` of them."""

    kind: str
    items: tuple["Node", ...]
    depth: int


@dataclass(frozen=True, slots=True)
class Compare:
    """`left operator right`, the operator one of == != < <= > >=."""

    operator: str
    left: "Node"
    right: "Node"
    position: int
    depth: int


@dataclass(frozen=True, slots=True)
class Within:
    """`item in list`."""

    item: "Node"
    list: "Node"
    depth: int


@dataclass(frozen=True, slots=True)
class Calculation:
    """A chain of + and -, or of * and /, from left to right."""

    first: "Node"
    rest: tuple[tuple[str, "Node"], ...]
    depth: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function, or a method of its first argument."""

    name: str
    method: bool
    arguments: tuple["Node", ...]
    position: int
    depth: int


Node: TypeAlias = Literal | Items | Path | Not | Junction | Compare | Within | Calculation | Call


def walk(node: Node) -> Iterator[Node]:
    """The node and all nodes below it."""
    yield node
    match node:
        case Items(items=items) | Junction(items=items) | Call(arguments=items):
            children: tuple[Node, ...] = items
        case Not(item=item):
            children = (item,)
        case Compare(left=left, right=right) | Within(item=left, list=right):
            children = (left, right)
        case Calculation(first=first, rest=rest):
            children = (first, *(item for _, item in rest))
        case _:
            children = ()
    for child in children:
        yield from walk(child)
