"""A record from which relations lead on: what a condition such as `record.customer.desk` is asked of, outside a database."""

from collections.abc import Callable, Mapping
from typing import Any

from console.core.expressions.operands import UNKNOWN


class Leading(dict[str, Any]):
    """The values of a record. `follow(name)` gives the record that a relation leads to, UNKNOWN where there is none, None for what is no relation.

    Records are read when a condition first asks for them. Only conditions of the policy get one: whoever writes a template would read past
    the scopes of its reader.
    """

    def __init__(self, values: Mapping[str, Any], follow: Callable[[str], Any]) -> None:
        super().__init__(values)
        self._follow = follow
        self._known: dict[str, Any] = {}

    def led(self, name: str) -> Any:
        """What stands at the end of the relation, as `follow`."""
        if name not in self._known:
            self._known[name] = self._follow(name)
        return self._known[name]

    def along(self, path: tuple[str, ...]) -> Any:
        """The record at the end of several relations; UNKNOWN where one leads to none."""
        here: Any = self
        for name in path:
            here = here.led(name) if isinstance(here, Leading) else UNKNOWN
        return here if isinstance(here, Leading) else UNKNOWN
