"""The effect `python`: call a function of ours, or of another package with the entry point `console.actions`.

A function gets its values, the idempotency key and a door to records within the scopes of the person who acts. A `ConsoleError` means that nothing
was done; after any other error the result is unknown.
"""

import functools
import importlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, TypeAlias

from console import records
from console.auth import access
from console.core import expressions
from console.core.actor import Actor
from console.core.errors import Conflict, DefinitionError
from console.core.filters import Group, Test
from console.infra import settings
from console.records import Record, hooks
from console.steps.effects.effect_call import Call, TryResult, scope_of

logger = logging.getLogger(__name__)
ENTRY_POINT = "console.actions"
DEMO = "console.demo.action_functions"
UNKNOWN = "Something unexpected went wrong while it was done; it cannot be told how far it came. Look, then say what you found."


@dataclass(frozen=True, slots=True)
class Door:
    """Records as the person may see and change them who has the action done, in a run of this workflow (its id).

    `again`: a process that died may have called the function before, so a record that is there already may be its work.
    """

    actor: Actor
    workflow: str | None = None
    again: bool = False

    def get(self, collection: str, key: str) -> Record:
        """The record. Raises NotFound out of the person's scope."""
        return records.get(collection, key, access.scope_for(self.actor, collection, "read"))

    def find(
        self,
        collection: str,
        where: Mapping[str, Any] | None = None,
        *,
        limit: int = 500,
        after: str | None = None,
    ) -> list[Record]:
        """Records that have these values, by their key; a list stands for one of several. At most 500 at once."""
        scope = access.scope_for(self.actor, collection, "read")
        return records.page(collection, scope, where=_tests(where), limit=limit, after=after).rows

    def every(
        self, collection: str, where: Mapping[str, Any] | None = None, *, most: int | None = None
    ) -> list[Record]:
        """As `find`, all of them, or the first `most`."""
        scope, records_read, after = access.scope_for(self.actor, collection, "read"), list[Record](), None
        while most is None or len(records_read) < most:
            limit = records.MOST_ROWS if most is None else min(records.MOST_ROWS, most - len(records_read))
            page = records.page(collection, scope, where=_tests(where), limit=limit, after=after)
            records_read += page.rows
            if (after := page.next) is None:
                break
        return records_read

    def related(
        self, collection: str, key: str, relation: str, *, where: str | None = None, limit: int = 500
    ) -> list[Record]:
        """Records that a relation leads to."""
        own = records.collection(collection).relation(relation)
        if own is None:
            raise DefinitionError(f"{collection} has no relation {relation}.")
        scope = access.scope_for(self.actor, own.collection, "read")
        return records.related(
            collection, key, relation, scope, limit=limit, where=expressions.parse(where) if where else None
        ).rows

    def insert(self, collection: str, values: Mapping[str, Any]) -> Record:
        """A new record. Raises Conflict `exists` where the database says that there is one."""
        try:
            return records.insert(
                collection, values, scope_of(self.actor, collection, "create"), workflow=self.workflow
            )
        except Conflict:
            self.same(collection, values)
            raise

    def insert_with(
        self,
        collection: str,
        values: Mapping[str, Any],
        belonging: str,
        link: str,
        rows: Sequence[Mapping[str, Any]],
    ) -> tuple[Record, list[Record]]:
        """A new record, and those of `belonging` that refer to it by their field `link`: all of them, or none. Raises as `insert`."""
        theirs = (belonging, link, rows, scope_of(self.actor, belonging, "create"))
        scope = scope_of(self.actor, collection, "create")
        return records.insert_with(collection, values, scope, belonging=theirs, workflow=self.workflow)

    def same(self, collection: str, values: Mapping[str, Any]) -> Record | None:
        """The record that has all these values."""
        there = records.find_same(collection, values, access.scope_for(self.actor, collection, "read"))
        if there is not None and self.again:
            records.note_change(records.Changed(collection, there.key, None, there.values, certain=False))
        return there

    def write(self, collection: str, key: str, changes: Mapping[str, Mapping[str, Any]]) -> Record:
        """The record after the change: field → {"old", "new"}."""
        return records.write(
            collection,
            key,
            changes,
            scope_of(self.actor, collection, "update"),
            by_action=True,
            workflow=self.workflow,
        )


def _tests(where: Mapping[str, Any] | None) -> Group | None:
    """The filter of records that have these values; a list stands for one of several."""
    tests = [
        Test(name, "in" if isinstance(value, list) else "eq", value) for name, value in (where or {}).items()
    ]
    return Group("and", tuple(tests)) if tests else None


Function: TypeAlias = Callable[[Mapping[str, Any], str, Door], Mapping[str, Any]]


@functools.cache
def functions() -> Mapping[str, Function]:
    """Every function that actions may call, by name. Raises DefinitionError where two have the same."""
    by_name: dict[str, Function] = {}
    named = [(point.name, point.load()) for point in entry_points(group=ENTRY_POINT)]
    named += list(hooks.actions().items())
    if settings.current().demo:
        named += list(importlib.import_module(DEMO).FUNCTIONS.items())
    for name, function in named:
        if by_name.setdefault(name, function) is not function:
            raise DefinitionError(f"Two functions for actions are named {name}.")
    return by_name


def perform(call: Call, *, again: bool = False) -> TryResult:
    """Call the function. Raises DefinitionError if there is none of that name."""
    function = functions().get(call.define.function)
    if function is None:
        raise DefinitionError(
            f"There is no function {call.define.function} for actions here: is its package installed?"
        )
    values = call.values(call.define.values)
    return TryResult(
        "succeeded", values=dict(function(values, call.key, Door(call.actor, call.workflow, again))), sent={}
    )


def recover(call: Call) -> TryResult:
    """The result after a crash: by calling an idempotent function again with the same key. Else unknown."""
    return (
        perform(call, again=True)
        if call.define.idempotent
        else TryResult("unknown", "interrupted", UNKNOWN, sent={"values": call.values(call.define.values)})
    )


def check(call: Call) -> TryResult | None:
    """The result of an idempotent function, called again with the same key; None for any other function."""
    return perform(call, again=True) if call.define.idempotent else None
