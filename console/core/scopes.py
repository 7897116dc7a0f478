"""Which records and fields of a collection somebody may read or change.

`AND(OR(allow), NOT deny …)`: no allow is nothing, and a deny that is unknown denies. The same scope is turned into SQL by
`console.records.conditions`; the two agree on every row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from console.core.expressions import Expression


@dataclass(frozen=True)
class Scope:
    """Rows by expressions over `record`, `$currentUser` and `now`; fields by name.

    `everything` is an allow without a condition. `attributes` are what `$currentUser` is made of. `hidden` fields are not
    read, sorted by, searched or filtered; `fixed` ones are not written. `masked` are those of the hidden that may be uncovered one by one.
    """

    collection: str
    allow: tuple[Expression, ...] = ()
    deny: tuple[Expression, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    masked: frozenset[str] = frozenset()
    fixed: frozenset[str] = frozenset()
    everything: bool = False

    @property
    def nothing(self) -> bool:
        """Whether no record at all is in it."""
        return not self.everything and not self.allow

    @property
    def unlimited(self) -> bool:
        """Whether every record is in it, whatever its values."""
        return self.everything and not self.deny

    def allows(self, values: Mapping[str, Any], now: datetime | None = None) -> bool:
        """Is a record with these values in it? `now` is aware; without it what looks at the time is unknown, and so not in it."""
        roots = {"record": values, "currentUser": self.attributes, "now": now}
        allowed = self.everything or any(item.test(roots) for item in self.allow)
        return allowed and all(item.denies(roots) for item in self.deny)


def whole(collection: str) -> Scope:
    """The scope of the console itself: every record, every field."""
    return Scope(collection, everything=True)


def none(collection: str) -> Scope:
    """The scope of somebody without a right."""
    return Scope(collection)
