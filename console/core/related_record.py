"""A record whose relations can be followed, for conditions such as `record.customer.desk` outside a database."""

from collections.abc import Callable, Mapping
from typing import Any

from console.core.expressions.operands import UNKNOWN


class Leading(dict[str, Any]):
    """The values of a record. `follow(name)` returns the related record, UNKNOWN without one, None if it is not a relation.

    Related records are read when a condition first needs them: past the reader's scopes for conditions of rights, within them for all else.
    """

    def __init__(self, values: Mapping[str, Any], follow: Callable[[str], Any]) -> None:
        super().__init__(values)
        self._follow = follow
        self._known: dict[str, Any] = {}

    def led(self, name: str) -> Any:
        """The related record, as `follow` returns it."""
        if name not in self._known:
            self._known[name] = self._follow(name)
        return self._known[name]

    def along(self, path: tuple[str, ...]) -> Any:
        """The record at the end of several relations; UNKNOWN if one of them leads nowhere."""
        here: Any = self
        for name in path:
            here = here.led(name) if isinstance(here, Leading) else UNKNOWN
        return here if isinstance(here, Leading) else UNKNOWN
