"""The records and fields of a collection that somebody may read or change.

`AND(OR(allow), NOT deny …)`: without an allow nothing is in scope, and an unknown deny denies. Records with a subject are in scope only if the
subject may be seen. `console.records.sql_conditions` turns the same scope into SQL; both agree on every row.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from console.core.expressions import Expression, paths
from console.core.expressions.nodes import Junction, Literal, Node, Path, walk
from console.core.related_record import Leading


@dataclass(frozen=True)
class Subject:
    """Whose data a record is: the relations to the subject, and the scope of visible subjects."""

    path: tuple[str, ...]
    scope: "Scope"

    def seen_from(self, values: Any, now: datetime | None) -> bool:
        """Whether the subject of the record with these values may be seen; unknown unless they are `Leading`."""
        there = values.along(self.path) if isinstance(values, Leading) else None
        return isinstance(there, Leading) and self.scope.allows(there, now)


@dataclass(frozen=True)
class Scope:
    """Rows by expressions over `record`, `$currentUser` and `now`; fields by name.

    `everything` is an allow without a condition. With a `subject`, both apply only to records whose subject may be seen; `alone` are allows for
    everybody's data (`stands_alone`). `attributes` are the values of `$currentUser`. `hidden` fields are not read, sorted, searched or filtered;
    `fixed` ones are not written. `masked` are hidden fields that may be revealed one by one. `elsewhere` returns the same reader's scope of
    another collection; None for the console itself. `locale` is theirs: titles in several languages are given in it.
    """

    collection: str
    allow: tuple[Expression, ...] = ()
    deny: tuple[Expression, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    masked: frozenset[str] = frozenset()
    fixed: frozenset[str] = frozenset()
    everything: bool = False
    alone: tuple[Expression, ...] = ()
    subject: Subject | None = None
    elsewhere: "Callable[[str], Scope] | None" = field(default=None, compare=False, repr=False)
    locale: str = field(default="en", compare=False)

    @property
    def nothing(self) -> bool:
        """Whether no record is in scope."""
        led_to_nothing = self.subject is not None and self.subject.scope.nothing
        return not self.alone and (led_to_nothing or not (self.everything or self.allow))

    @property
    def unlimited(self) -> bool:
        """Whether every record is in scope."""
        return self.everything and not self.deny and self.subject is None

    @property
    def conditions(self) -> tuple[Expression, ...]:
        """All expressions of the scope and of its subject, in a fixed order."""
        own = (*self.allow, *self.alone, *self.deny)
        return own if self.subject is None else own + self.subject.scope.conditions

    @property
    def shape(self) -> tuple[Any, ...]:
        """The scope without its reader: scopes with the same shape and attributes have the same records."""
        texts = tuple(tuple(item.text for item in items) for items in (self.allow, self.alone, self.deny))
        return (
            self.everything,
            texts,
            None if self.subject is None else (self.subject.path, self.subject.scope.shape),
        )

    def attributes_used(self, *more: Expression) -> tuple[str, ...]:
        """The reader's attributes that the scope and these expressions use, in a form that can be compared."""
        used = [
            path for item in (*more, *self.conditions) for path in paths(item) if path[0] == "$currentUser"
        ]
        names = self.attributes.keys() if any(len(path) == 1 for path in used) else {path[1] for path in used}
        return tuple(repr(self.attributes.get(name)) for name in sorted(names))

    @property
    def follows(self) -> bool:
        """Whether conditions use other records."""
        own = (node for item in (*self.allow, *self.alone, *self.deny) for node in walk(item.node))
        return self.subject is not None or any(
            isinstance(node, Path) and node.root == "record" and len(node.steps) > 1 for node in own
        )

    def allows(self, values: Mapping[str, Any], now: datetime | None = None) -> bool:
        """Whether a record with these values is in scope. `now` is aware; without it conditions on time are unknown, so not met.

        Conditions that follow relations are unknown unless the values are `Leading`.
        """
        roots = {"record": values, "currentUser": self.attributes, "now": now}
        allowed = (self.everything or any(item.test(roots) for item in self.allow)) and (
            self.subject is None or self.subject.seen_from(values, now)
        )
        allowed = allowed or any(item.test(roots) for item in self.alone)
        return allowed and all(item.denies(roots) for item in self.deny)


def stands_alone(condition: Expression) -> bool:
    """Whether a rule with this condition applies to everybody's data: the condition is `true`, alone or in `true && …`."""
    return _says_true(condition.node)


def _says_true(node: Node) -> bool:
    if isinstance(node, Junction):
        return node.kind == "all" and any(map(_says_true, node.items))
    return isinstance(node, Literal) and node.value is True


def unrestricted(collection: str) -> Scope:
    """The console's own scope: every record, every field."""
    return Scope(collection, everything=True)


def none(collection: str) -> Scope:
    """The scope of somebody without rights."""
    return Scope(collection)
