"""The condition of an effect in words, as far as it is still open before the step is done."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from console.auth.access.policy_words import condition_words
from console.core.documents.collections import Collection
from console.core.expressions import Expression
from console.core.expressions.nodes import Compare, Junction, Literal, Node, Path
from console.core.plain_words import humanised


def open_condition(condition: Expression, known: Mapping[str, Any], collection: Collection) -> str | None:
    """The condition with the labels of the record that is written; None where it certainly holds, "" where it has no simple words.

    An approval that is asked for counts as given: the effect comes after it.
    """
    if condition.test({"approver": {}, **known}):
        return None
    return (
        condition_words(_of_record(condition.node, collection), lambda name: _label(name, collection)) or ""
    )


def _label(name: str, collection: Collection) -> str:
    field = collection.field(name)
    return field.label if field is not None else humanised(name)


def _of_record(node: Node, collection: Collection) -> Node:
    """The condition with what an earlier effect found of a record as that record's field, and its choices by label."""
    match node:
        case Junction(items=items):
            return replace(node, items=tuple(_of_record(item, collection) for item in items))
        case Compare(
            left=Path(root="results", steps=(str(), "record", str() as name)) as left,
            right=Literal(value=value) as right,
        ):
            field = collection.field(name)
            labels = {one.value: one.label for one in (field.options if field is not None else None) or ()}
            return replace(
                node,
                left=replace(left, root="record", steps=(name,)),
                right=replace(right, value=labels.get(value, value)),
            )
    return node
