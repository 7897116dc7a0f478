"""Records whose state is a row of another table that says whether it is an end: `status_id` of issues, `is_closed` of their statuses."""

from collections.abc import Mapping
from dataclasses import replace

from console.core.documents.collections import recognising
from console.core.documents.collections.model import Collection, Segment


def with_closing(own: Collection, made: Mapping[str, Collection]) -> Collection:
    """The collection with the fields that lead to such states, and a segment of the records that are still open if it has no segments of its own."""
    found = {
        relation.columns[0][0]: made[relation.collection]
        for relation in own.relations
        if relation.kind == "to_one"
        and relation.exact
        and len(relation.columns) == 1
        and _state(relation.columns[0][0], made[relation.collection])
    }
    if not found:
        return own
    column, states = next(iter(found.items()))
    own = replace(own, ending_references={name: each.id for name, each in found.items()})
    if own.segments or len(own.key) != 1 or states.source != own.source:
        return own
    return replace(own, segments=(Segment("open", "Open", "", sql=_open(own, column, states)),))


def _state(column: str, target: Collection) -> bool:
    words = recognising.parts_of(column)
    return bool(target.closing) and len(target.key) == 1 and bool(recognising.STATES & {*words[-2:]})


def _open(own: Collection, column: str, states: Collection) -> str:
    """A SELECT of the keys of the records without a state, or whose state is no end."""
    mark = "`" if own.dialect == "mysql" else '"'

    def named(*names: str | None) -> str:
        return ".".join(mark + name.replace(mark, mark * 2) + mark for name in names if name is not None)

    key, state = named(own.key[0]), named(column)
    here, there = named(own.schema, own.table), named(states.schema, states.table)
    ends = f"select {named(states.key[0])} from {there} where {named(states.closing[0])}"  # noqa: S608 (names of the database, quoted)
    return f"select {key} from {here} where {state} is null or {state} not in ({ends})"  # noqa: S608
