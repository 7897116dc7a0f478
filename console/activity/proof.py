"""What an auditor needs to check the log without us: how far it was checked here, the newest signed head, the key, and whether a head kept earlier still fits."""

import importlib.resources
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.activity import checkpoint_delivery, integrity, sequencing
from console.auth import access
from console.core.actor import Actor
from console.core.errors import Invalid
from console.infra.db.engine import fetch, transaction
from console.log import checkpoint, event_lists, tree_heads
from console.log.recheck import Checked

__all__ = ["Checked", "Compared", "Head", "Proof", "compare", "read", "verifier"]


@dataclass(frozen=True, slots=True)
class Head:
    """A signed head of the log: how many events it covers, its text, when it was signed."""

    size: int
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Proof:
    """How the log stands. `reached` is the newest place, `standing` the console's own look at it, `key` the verifier key of the newest head, `outside` where heads are taken."""

    standing: integrity.Standing
    reached: event_lists.Reached
    lag: sequencing.Lag
    head: Head | None
    key: str | None
    outside: Sequence[checkpoint_delivery.Delivery]

    @property
    def checked(self) -> Checked:
        """The problem that the last check found."""
        return self.standing.checked

    @property
    def problem(self) -> str | None:
        """The first bad place and what is wrong there, without the name of a run: it may be confidential."""
        first_problem = self.checked.problem
        return (
            re.sub(r"(, )?run \S+ event \d+", "", first_problem).removeprefix(": ").partition(". ")[0]
            if first_problem
            else None
        )


@dataclass(frozen=True, slots=True)
class Compared:
    """A head that somebody kept, beside the log as it is: whether the log still begins with exactly its events, in a sentence."""

    good: bool
    size: int
    words: str


def read(actor: Actor) -> Proof:
    """How the log stands. Raises NotAllowed without the right `activity.verify`."""
    access.require(actor, None, "activity", "verify")
    head = tree_heads.newest()
    return Proof(
        integrity.log_state(),
        event_lists.reached(),
        sequencing.lag(),
        Head(*head) if head else None,
        tree_heads.verifier_key(),
        checkpoint_delivery.state(),
    )


def compare(actor: Actor, note: str) -> Compared:
    """Whether the log still begins with the events of a head that was kept. Raises NotAllowed as `read`, Invalid for what is no head.

    It is this console's word: who does not want to trust it exports with `since` and checks the export.
    """
    access.require(actor, None, "activity", "verify")
    text = note.replace("\r\n", "\n").strip() + "\n"
    try:
        compared = checkpoint.parse(text).checkpoint
    except checkpoint.Malformed as error:
        words = f"This is no checkpoint: {error}. Paste the whole text, from the name of the log to the last line that begins with a dash."
        raise Invalid(words, at="checkpoint") from None
    if not _signed(text):
        return Compared(
            good=False,
            size=compared.size,
            words="No key of this log has signed this checkpoint: it is of another log, or it was made up.",
        )
    with transaction() as connection:
        size = tree_heads.tree_size(connection)
        if compared.size > size:
            words = f"This log has {size:,} events under a signed head, and the checkpoint covers {compared.size:,}: events are missing at the end."
            return Compared(good=False, size=compared.size, words=words)
        same = tree_heads.Kept(connection, size).root(compared.size) == compared.root
    if not same:
        return Compared(
            good=False,
            size=compared.size,
            words=f"The first {compared.size:,} events are not those of this checkpoint: the log was changed since.",
        )
    return Compared(
        good=True,
        size=compared.size,
        words=f"The log still begins with exactly the {compared.size:,} events of this checkpoint.",
    )


def verifier() -> str:
    """The text of the verifier: one file that needs Python and nothing else."""
    return importlib.resources.files("console.log").joinpath("verify.py").read_text(encoding="utf-8")


def _signed(text: str) -> bool:
    """Whether one of the keys that this log ever had has signed the note."""
    for (key,) in fetch("select distinct key from console.checkpoint"):
        try:
            checkpoint.verified(text, key)
        except (checkpoint.Unsigned, checkpoint.Malformed):
            continue
        return True
    return False
