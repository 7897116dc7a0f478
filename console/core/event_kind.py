"""What a kind of event is made of."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Group = Literal["run", "step", "effect", "approval", "proposal", "record", "access", "account", "configuration", "log"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of event.

    `when` is a whole sentence. `on_run` kinds stand on the chain of a run, the others on the chain of a session, a key, a
    process or `sys:config`. Events of a `move` are written when a command changes where a run stands, who holds it or what may
    be done to it; all of one move carry the same open `revision`, which is the run's from then on. The other events of a run
    advance only its `run_seq`, so that looking makes no form stale.
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
        """The kind as a filter shows it: `step_completed` is `Step completed`."""
        return self.name.replace("_", " ").capitalize()

    def unknown(self, opened: Iterable[str], sealed: Iterable[str] = ()) -> frozenset[str]:
        """Those of the open and sealed names that no event of this kind carries."""
        return frozenset({*opened} - {*self.open}) | frozenset({*sealed} - {*self.sealed})
