"""Which item of a list a run is about, that a loop started for it: the record, or the name that it has in the list."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from console import records, workflows
from console.auth import access
from console.infra.db.engine import fetch

LOOP = "loop"
_DONE_AGAIN = f"""
with recursive earlier as (select r.id as run, r.linked_to from {access.EVERY_RUN.sql()} where r.id = any(%s)
    union all select e.run, r.linked_to from earlier e join {access.EVERY_RUN.sql()} on r.id = e.linked_to where r.branch is null)
select e.run, r.branch from earlier e join {access.EVERY_RUN.sql()} on r.id = e.linked_to where r.branch is not null
"""  # noqa: S608 (texts of this file)
"""Of runs that were done again: the branch of the first of them."""
Titles = Callable[[Sequence[Any]], Mapping[tuple[str, str], str]]


@dataclass(frozen=True, slots=True)
class LoopItem:
    """An item of a loop; `collection` is None for one that is no record."""

    collection: str | None
    key: str
    title: str


def items_of(rows: Sequence[Any], titles: Titles) -> dict[str, LoopItem]:
    """Run → its item, for those of these runs that a loop has started. `titles` answers for records (`collection`, `record`) that the reader may see; others are left out."""
    lists = {
        row.id: found
        for row in rows
        if (row.branch or row.linked_to) and (found := _list_of(row)) is not None
    }
    branches = {row.id: row.branch for row in rows if row.id in lists and row.branch}
    if again := [run for run in lists if run not in branches]:
        branches |= dict(fetch(_DONE_AGAIN, (again,)))
    whose = {run: (lists[run], branch) for run, branch in branches.items()}
    wanted = [
        SimpleNamespace(collection=collection, record=key)
        for (collection,), key in whose.values()
        if collection
    ]
    named = titles(wanted) if wanted else {}
    return {
        run: LoopItem(collection, key, named[collection, key] if collection else key)
        for run, ((collection,), key) in whose.items()
        if not collection or (collection, key) in named
    }


def _list_of(row: Any) -> tuple[str | None] | None:
    """(the collection of the items,) of the loop that has started the run, (None,) where they are no records; None where none has."""
    definition = workflows.readable_version(row.workflow, row.version)
    step = (
        next((each for each in definition.document.steps if each.id == (row.origin or {}).get("id")), None)
        if definition is not None
        else None
    )
    if step is None or step.type != LOOP:
        return None
    items = step.config.get("items") or {}
    if items.get("relation") is None:
        return (items.get("collection"),)
    own = records.catalogue.find(row.collection) if row.collection else None
    return (
        next(((each.collection,) for each in own.relations if each.name == items["relation"]), None)
        if own is not None
        else None
    )
