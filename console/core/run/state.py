"""The state of a run: its attempts, effects and events as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from console.core.events import ENDS
from console.core.run.approval_request import Approval
from console.core.run.causes import Causes
from console.core.run.origin import GUIDED, HANDS_OFF

Status = Literal[
    "running",
    "waiting_person",
    "waiting_time",
    "waiting_event",
    "saved",
    "completed",
    "aborted",
    "failed",
    "cancelled",
    "timed_out",
]
FINAL = frozenset(ENDS.values())
MISSING_MANUAL = "handled manually"
SUPPLIED = "supplied later"
NEXT_ITEM = "next_item"
"""The outcome of a loop with further items: the step is entered again."""
FORM_NEEDED = "form_needed"
"""The code of an automatic step that needs a person although nothing went wrong."""
SIMULATED = "simulated"
"""The code of an effect that the sandbox held back; its result holds `true` under this name."""

LONGEST_STRETCH = timedelta(minutes=1)
"""At most this much of the time between two events counts as work on the run: the console may have been paused."""


class Event(NamedTuple):
    """Something that happened to a run. `by` is the person, None for the engine; `step` is (id of the step, number of the attempt).

    `open` is readable in the log, `sealed` only as commitments. `n` is its number in the run, 0 before it has one.
    """

    type: str
    at: datetime
    open: Mapping[str, Any] = {}
    sealed: Mapping[str, Any] = {}
    step: tuple[str, int] | None = None
    by: str | None = None
    n: int = 0


@dataclass(frozen=True, slots=True)
class Effect:
    """A requested change outside the console's own tables, with its result.

    `compensates` is the effect that this one takes back. `keeps` is the earlier effect whose result is used: nothing was done again.
    """

    id: str
    number: int
    kind: str
    summary: str
    status: Literal["requested", "succeeded", "failed", "unknown"]
    request: Mapping[str, Any]
    requested_at: datetime
    settled_at: datetime | None = None
    result: Mapping[str, Any] | None = None
    compensates: str | None = None
    keeps: str | None = None

    @property
    def asks(self) -> bool:
        """Whether a person has to settle it: the result is unknown, or a compensation failed."""
        given_up = self.compensates is None or (self.result or {}).get("left", False)
        return self.status == "unknown" or (self.status == "failed" and not given_up)


class Attempt(NamedTuple):
    """One entry into a step. `n` is its number in the run (1, 2 …), `attempt` counts the entries into this step.

    `defaults` are the first values of the form (from the replaced attempt, or the refused ones), `errors` the reasons of a refused
    effect: `[{"field", "reason"}]`. `proposal` is the latest proposal, see `console.core.run.proposal`.
    """

    n: int
    step: str
    attempt: int
    status: Literal["open", "performing", "done", "cancelled", "skipped", "failed"]
    entered_at: datetime
    completed_at: datetime | None = None
    by: str | None = None
    outcome: str | None = None
    values: Mapping[str, Any] = {}
    output: Mapping[str, Any] | None = None
    handled_manually: bool = False
    replaces: int | None = None
    revised: bool = False
    defaults: Mapping[str, Any] | None = None
    errors: list[Mapping[str, Any]] | None = None
    effects: tuple[Effect, ...] = ()
    approvals: tuple[Approval, ...] = ()
    proposal: Mapping[str, Any] | None = None

    @property
    def context(self) -> Mapping[str, Any]:
        """The values that later steps read as `steps.<id>`."""
        values_left = self.values if self.output is None else self.output
        return (
            {**values_left, "missing": values_left.get("missing", MISSING_MANUAL)}
            if self.handled_manually
            else values_left
        )

    @property
    def simulated(self) -> bool:
        """Whether the sandbox held back an effect of it."""
        return any((effect.result or {}).get(SIMULATED) is True for effect in self.effects)

    @property
    def came_to(self) -> str | None:
        """The outcome that it ended with. While it is made, `outcome` is what it will be if nothing goes wrong; where it broke off, what it would have been."""
        return (
            self.outcome
            if self.completed_at is not None
            or (self.status in ("failed", "cancelled") and self.outcome == "error")
            else None
        )

    @property
    def standing(self) -> bool:
        """Whether it counts for later steps: done, and not revised since."""
        return self.status == "done" and not self.revised


@dataclass
class Run:
    """The state of a run. `attempts` are by number; a command may load only those that it needs.

    `revision` counts transitions and is part of every form; `seq` counts all events. `visits` counts entries by step, and the iterations of
    a loop as `<step>/items`. `automatic` counts automatic steps since the last one of a person. `trigger` is the kind of trigger, `worked_ms`
    how long the console worked on it, without waiting. `mode` is `guided`, or `hands_off` for a run that acts with the rights of `started_by` and that
    nobody holds until it asks a person; `origin` is what started that: `id` of the trigger, `event`. `caused_by`: what caused it; empty for runs of before there was this. `start_key`: its start was named so. `parent` is the run whose step started it as its
    `branch`; `fork` is where a branch of the same workflow begins and joins, with what it began. `ticket` is the inbox in which the run waits, and why. People without clearance for
    `label` are told that there is no such run. `screens` holds what was last shown, by attempt (replay only). `loaded`: read of other records → keys of its rows, as
    far as they are not stored yet (see runs/rows/loaded_rows.py).
    """

    id: str = ""
    workflow: str = ""
    version: int = 0
    status: Status = "running"
    revision: int = 0
    seq: int = 0
    team: str = ""
    collection: str | None = None
    record: str | None = None
    started_by: str = ""
    holder: str | None = None
    last_holder: str | None = None
    current: int | None = None
    made: int = 0
    visits: dict[str, int] = field(default_factory=dict)
    automatic: int = 0
    waiting: Mapping[str, Any] | None = None
    take_over: Mapping[str, Any] | None = None
    ticket: Mapping[str, Any] | None = None
    input: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    ending: str | None = None
    exclusive_key: str | None = None
    linked_to: str | None = None
    trigger: str = "record"
    mode: str = GUIDED
    origin: Mapping[str, Any] | None = None
    caused_by: Causes = ()
    start_key: str | None = None
    parent: str | None = None
    branch: str | None = None
    fork: Mapping[str, Any] | None = None
    test: bool = False
    worked_ms: int = 0
    label: str | None = None
    created_at: datetime | None = None
    ended_at: datetime | None = None
    active_at: datetime | None = None
    attempts: dict[int, Attempt] = field(default_factory=dict)
    context: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    screens: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    loaded: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether the run has ended and accepts no command."""
        return self.status in FINAL

    @property
    def hands_off(self) -> bool:
        """Whether nobody holds it unless it asks a person: it acts with the rights of `started_by`."""
        return self.mode == HANDS_OFF

    @property
    def acts_for(self) -> str:
        """Id of the person or service account with whose rights the engine goes on. What a person handed in is made with their own rights.

        Whoever takes a branch of a guided run acts for themselves from then on.
        """
        if not self.hands_off or (self.fork or {}).get("guided"):
            return self.holder or self.last_holder or self.started_by
        attempt = self.attempt
        handed_in = attempt.by if attempt is not None and attempt.status == "performing" else None
        return handed_in or self.started_by

    @property
    def attempt(self) -> Attempt | None:
        """The current attempt; None after the end."""
        return self.attempts.get(self.current) if self.current is not None else None

    @property
    def simulated(self) -> bool:
        """Whether the sandbox held back an effect of the attempts that are loaded."""
        return any(attempt.simulated for attempt in self.attempts.values())

    @property
    def unknown(self) -> Effect | None:
        """The effect that a person has to settle."""
        attempt = self.attempt
        return next((effect for effect in attempt.effects if effect.asks), None) if attempt else None

    @property
    def wanted(self) -> Effect | None:
        """The effect to make next; None while an earlier one is not settled."""
        attempt = self.attempt
        if attempt is None or attempt.status != "performing":
            return None
        first = next(
            (effect for effect in attempt.effects if effect.status == "requested" or effect.asks), None
        )
        return first if first is not None and first.status == "requested" else None

    @property
    def tries(self) -> int:
        """How often the current step was retried automatically."""
        return int((self.waiting or {}).get("tries", 0))

    @property
    def unsure(self) -> bool:
        """Whether one of these tries may have made the effect after all."""
        return bool((self.waiting or {}).get("unsure"))

    def worked_by(self, now: datetime) -> int:
        """Milliseconds that the console has worked on the run at `now`."""
        if self.active_at is None or not (
            self.status == "running" or (self.waiting or {}).get("for") == "effect"
        ):
            return self.worked_ms
        return self.worked_ms + int(
            min(LONGEST_STRETCH, max(timedelta(), now - self.active_at)) / timedelta(milliseconds=1)
        )

    @property
    def then(self) -> Mapping[str, Any] | None:
        """What the step waits for once its effects are made, while they are not: `for`, `key`, `until`, `outcome`, and `arrived` if it came already."""
        return (self.waiting or {}).get("then")

    @property
    def joins(self) -> str | None:
        """The key of the wait for runs that the current step has started; None if it waits for none."""
        return str(self.waiting["key"]) if self.waiting is not None and self.waiting["for"] == "run" else None

    @property
    def waits_outside(self) -> bool:
        """Whether it waits for an approval, documents or an answer; not for an effect."""
        return (
            self.status == "waiting_event"
            and self.waiting is not None
            and self.waiting.get("key") is not None
        )

    @property
    def trouble(self) -> dict[str, Any] | None:
        """Why it asks a person, as they are told: `code` and `message`."""
        return {name: self.take_over.get(name) for name in ("code", "message")} if self.take_over else None

    def asks_about(self, key: str) -> bool:
        """Whether a person is asked what came of this, since nobody could tell."""
        return (
            self.status in ("waiting_person", "saved")
            and self.take_over is not None
            and self.take_over.get("key") == key
        )

    @property
    def moving(self) -> bool:
        """Whether the engine has to go on: an automatic step is next, or an effect is to be made."""
        return self.status == "running" or (self.status == "waiting_event" and self.wanted is not None)

    def entries(self, step_id: str) -> int:
        """How often the run entered the step. The items of a loop after the first do not count."""
        return self.visits.get(step_id, 0) - self.visits.get(f"{step_id}/items", 0)

    def effect(self, effect_id: str) -> tuple[Attempt, Effect] | None:
        """The effect with its attempt, among the loaded attempts."""
        for attempt in self.attempts.values():
            for effect in attempt.effects:
                if effect.id == effect_id:
                    return attempt, effect
        return None

    def approval(self, approval_id: str) -> tuple[Attempt, Approval] | None:
        """The approval with its attempt, among the loaded attempts."""
        pairs = ((attempt, approval) for attempt in self.attempts.values() for approval in attempt.approvals)
        return next((pair for pair in pairs if pair[1].id == approval_id), None)

    def after(self, n: int) -> list[Attempt]:
        """Attempts after number `n` that are not cancelled, in order."""
        return [
            attempt
            for place, attempt in sorted(self.attempts.items())
            if place > n and attempt.status != "cancelled"
        ]


def copied(run: Run) -> Run:
    """A copy that can be changed without changing `run`; its parts are shared until they are replaced."""
    after: Run = object.__new__(Run)
    after.__dict__.update(run.__dict__)
    for name in _OWN:
        setattr(after, name, getattr(run, name).copy())
    return after


_OWN = ("visits", "attempts", "context", "screens", "loaded")
