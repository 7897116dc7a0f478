"""The definition of a kind of event."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from console.core.plain_words import humanised

Group = Literal[
    "run", "step", "effect", "approval", "proposal", "record", "access", "account", "configuration", "log"
]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of event.

    `when` is a whole sentence. Events of `on_run` kinds are on the chain of a run, others on the chain of a session, a key, a process or
    `sys:config`. Events of a `move` are written when a command changes the state or holder of a run or what can be done to it; all events of one
    move have the same open `revision`, the run's new one. Other events of a run only advance its `run_seq`, so that looking at a run does
    not outdate a form.
    """

    name: str
    group: Group
    when: str
    open: tuple[str, ...] = ()
    sealed: tuple[str, ...] = ()
    on_run: bool = False
    move: bool = False

    @property
    def label(self) -> str:
        """The kind in a filter: `Step completed` for `step_completed`."""
        return humanised(self.name)

    def unknown(self, opened: Iterable[str], sealed: Iterable[str] = ()) -> frozenset[str]:
        """The open and sealed names that this kind does not have."""
        return frozenset({*opened} - {*self.open}) | frozenset({*sealed} - {*self.sealed})
