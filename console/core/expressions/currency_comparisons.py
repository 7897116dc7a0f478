"""An amount in the smallest unit of the record's own currency, compared with one in whole units: the same once for each number of decimals."""

from collections.abc import Sequence
from dataclasses import replace

from console.core import currencies
from console.core.expressions.nodes import Call, Compare, Items, Literal, Node, Path, Within, walk


def for_each_currency(node: Node) -> Sequence[tuple[Within, Compare]] | None:
    """`record.amount >= minor(100, record.currency)` as (that the currency is one of these, the comparison for them); None for anything else."""
    match node:
        case Compare(
            left=Path(root="record"),
            right=Call(name="minor", arguments=(amount, Path(root="record") as code)) as call,
        ):
            if any(isinstance(each, Path) and each.root == "record" for each in walk(amount)):
                return None
        case _:
            return None
    made = []
    for places, codes in currencies.BY_DECIMALS.items():
        listed = Items(tuple(Literal(each) for each in sorted(codes)), 2)
        whole = replace(call, arguments=(amount, Literal(places)))
        made.append((Within(code, listed, 3), replace(node, right=whole)))
    return made
