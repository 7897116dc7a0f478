"""A model of a run in plain Python, with which the state machine compares the console."""

from dataclasses import dataclass, field
from typing import Any

from console import runs
from console.core.actor import Actor

WORKERS = ("olivia", "tom", "mona")
EMAILS = ("a@customers.example", "b@customers.example")


def complete(actor: Actor, run_id: str, **submitted: Any) -> None:
    """Complete a step, called as every other command is."""
    runs.complete(actor, run_id, runs.Submission(**submitted))


@dataclass
class Step:
    """An attempt of the model."""

    step: str
    status: str = "open"
    revised: bool = False

    @property
    def stands(self) -> bool:
        """Whether later steps build on it."""
        return self.status == "done" and not self.revised


@dataclass
class Model:
    """What the run should be. `wish` is a change of the record that was asked for and has no answer yet: field → (old, new)."""

    status: str = "waiting_person"
    holder: str | None = "olivia"
    path: list[Step] = field(
        default_factory=lambda: [Step("start", "done"), Step("load", "done"), Step("read")]
    )
    record: dict[str, str | None] = field(default_factory=lambda: {"risk": None, "email": EMAILS[0]})
    seen: dict[tuple[int, str], dict[str, str | None]] = field(default_factory=dict)
    draft: dict[str, Any] | None = None
    wish: dict[str, tuple[str | None, str | None]] | None = None
    unknown: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing is accepted any more."""
        return self.status in ("completed", "aborted", "cancelled")

    @property
    def here(self) -> Step | None:
        """Where it stands."""
        return None if self.ended else self.path[-1]

    def may(self, who: str) -> frozenset[str]:
        """What a page offers this person."""
        offered: set[str] = set()
        if self.status == "waiting_person" and self.holder == who:
            offered |= (
                {"settle", "check", "save", "release", "escalate"}
                if self.unknown
                else {"complete", "draft", "save", "release", "abort", "revise", "escalate"}
            )
        if who in WORKERS and (
            self.status == "saved" or (self.status == "waiting_person" and self.holder is None)
        ):
            offered.add("resume")
        if (
            self.status == "waiting_person"
            and self.holder != who
            and who in WORKERS
            and (self.holder is None or who == "mona")
        ):
            offered.add("take_over")
        if who == "mona" and self.status in ("waiting_person", "saved"):
            offered.add("assign")
        if who == "mona" and not self.ended and self.wish is None:
            offered.add("cancel")
        return frozenset(offered)

    def on(self, step: str) -> None:
        """The step at which it stands is done; it comes to the next one, by itself where that needs nobody."""
        self.path[-1].status = "done"
        self.draft = self.wish = None
        self.unknown = False
        self.path.append(Step(step))
        self.status = "waiting_person"

    def by_itself(self, *steps: str) -> None:
        """Automatic steps, one after another."""
        for step in steps:
            self.on(step)

    def end(self, status: str) -> None:
        """Nothing is accepted from now on."""
        if self.path[-1].status in ("open", "performing"):
            self.path[-1].status = "cancelled"
        self.status, self.holder, self.draft = status, None, None

    def changed(self, who: str, values: dict[str, Any]) -> dict[str, tuple[str | None, str | None]]:
        """The fields that differ from what this person last saw."""
        shown = self.seen.get((len(self.path), who), self.record)
        return {name: (shown[name], new) for name, new in values.items() if shown[name] != new}

    def holds(self, side: int) -> bool:
        """Whether the record has the old (0) or the new (1) value of every field that is to change."""
        return all(self.record[name] == pair[side] for name, pair in (self.wish or {}).items())

    def perform(self) -> None:
        """The change is made where the old values still stand, else the form opens again."""
        if self.holds(0):
            self.record |= {name: new for name, (_, new) in (self.wish or {}).items()}
            self.rated()
        else:
            self.path[-1].status, self.status, self.wish, self.unknown, self.draft = (
                "open",
                "waiting_person",
                None,
                False,
                None,
            )

    def rated(self) -> None:
        """From the change of the record to the decision."""
        self.by_itself("is_high", "decide")
