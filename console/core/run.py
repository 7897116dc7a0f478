"""A run as the log tells it: its state, and how each event changes it.

`fold(events)` is the state after those events, and equals the live rows at every point. The same `Run` serves a command
(then it holds the head and the attempts that the command needs) and a replay (then it holds everything).
Source: docs/adr/0005-runs.md.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Literal

from console.core import proposal
from console.core.approval import Approval, Decided, answered, requested
from console.core.events import ENDS

Status = Literal[
    "running", "waiting_person", "waiting_time", "waiting_event", "saved", "completed", "aborted", "failed", "cancelled", "timed_out"
]
FINAL = frozenset(ENDS.values())
MISSING_MANUAL = "handled manually"
SUPPLIED = "supplied later"
NEXT_ITEM = "next_item"
"""The outcome of a loop that has further items: the step is entered anew."""
FORM_NEEDED = "form_needed"
"""Why a step that could have gone on by itself asks a person, where nothing went wrong."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a run. `by` is the person, None for the engine; `step` is (id of the step, number of the attempt).

    `open` stands readable in the log, `sealed` only as commitments. `n` is its number in the run, 0 before it has one.
    """

    type: str
    at: datetime
    open: Mapping[str, Any] = field(default_factory=dict)
    sealed: Mapping[str, Any] = field(default_factory=dict)
    step: tuple[str, int] | None = None
    by: str | None = None
    n: int = 0


@dataclass(frozen=True, slots=True)
class Effect:
    """A wished change outside the console's own tables. `request` is what was asked, `result` what came of it.

    `compensates` names the effect that this one takes back, `keeps` the earlier one whose result stands for this one: nothing was done anew.
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
        """Whether a person has to say what came of it: nobody knows, or what should have been taken back was not."""
        given_up = self.compensates is None or (self.result or {}).get("left", False)
        return self.status == "unknown" or (self.status == "failed" and not given_up)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One entry into a step. `n` is its place in the order taken (1, 2 …), `attempt` counts the entries into this step.

    `defaults` are the values that the form starts with (of the attempt it replaces, or as they were refused), `errors` what a
    refused effect said: `[{"field", "reason"}]`. `proposal` is what was last proposed here, as `console.core.proposal` has it.
    """

    n: int
    step: str
    attempt: int
    status: Literal["open", "performing", "done", "cancelled", "skipped", "failed"]
    entered_at: datetime
    completed_at: datetime | None = None
    by: str | None = None
    outcome: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
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
        """What later steps find as `steps.<id>`."""
        found = self.values if self.output is None else self.output
        return {**found, "missing": found.get("missing", MISSING_MANUAL)} if self.handled_manually else found

    @property
    def standing(self) -> bool:
        """Whether later steps build on it: done, and not revised since."""
        return self.status == "done" and not self.revised


@dataclass(slots=True)
class Run:
    """Where a run stands. `attempts` are by their place in the order taken; in a command they may be only those it needs.

    `revision` counts moves and is what forms carry; `seq` counts all events. `visits` counts entries by step, `automatic` the
    automatic steps since a person's. `visits` also counts the iterations of a loop, as `<step>/items`: they are no visits of their own.
    `ticket` says in which inbox the run waits for somebody, and why. Who is not cleared for its `label` is told that there is no such run. `screens` holds, by attempt, what was last shown (replay only).
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
    label: str | None = None
    created_at: datetime | None = None
    ended_at: datetime | None = None
    active_at: datetime | None = None
    attempts: dict[int, Attempt] = field(default_factory=dict)
    context: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    screens: dict[int, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether the run accepts no command any more."""
        return self.status in FINAL

    @property
    def attempt(self) -> Attempt | None:
        """The attempt that the run stands at; None once it has ended."""
        return self.attempts.get(self.current) if self.current is not None else None

    @property
    def unknown(self) -> Effect | None:
        """The effect that a person has to settle."""
        here = self.attempt
        return next((effect for effect in here.effects if effect.asks), None) if here else None

    @property
    def wanted(self) -> Effect | None:
        """The effect to be made next: they are made one after another, and none while an earlier one is not settled."""
        here = self.attempt
        if here is None or here.status != "performing":
            return None
        first = next((effect for effect in here.effects if effect.status == "requested" or effect.asks), None)
        return first if first is not None and first.status == "requested" else None

    @property
    def tries(self) -> int:
        """How often the open step was tried again by itself so far."""
        return int((self.waiting or {}).get("tries", 0))

    @property
    def waits_outside(self) -> bool:
        """Whether it waits for something that has a name of ours: an approval, documents, an answer; not for an effect."""
        return self.status == "waiting_event" and self.waiting is not None and self.waiting.get("key") is not None

    @property
    def moving(self) -> bool:
        """Whether the engine has to go on: an automatic step is next, or a change asked for is not made yet."""
        return self.status == "running" or (self.status == "waiting_event" and self.wanted is not None)

    def entries(self, step_id: str) -> int:
        """How often the run came to the step; a loop's items after the first do not count."""
        return self.visits.get(step_id, 0) - self.visits.get(f"{step_id}/items", 0)

    def effect(self, effect_id: str) -> tuple[Attempt, Effect] | None:
        """The effect of that id with its attempt, among the attempts at hand."""
        for attempt in self.attempts.values():
            for effect in attempt.effects:
                if effect.id == effect_id:
                    return attempt, effect
        return None

    def approval(self, approval_id: str) -> tuple[Attempt, Approval] | None:
        """The approval of that id with its attempt, among the attempts at hand."""
        pairs = ((attempt, approval) for attempt in self.attempts.values() for approval in attempt.approvals)
        return next((pair for pair in pairs if pair[1].id == approval_id), None)

    def after(self, n: int) -> list[Attempt]:
        """Attempts after place `n` that are not cancelled, in the order taken."""
        return [attempt for place, attempt in sorted(self.attempts.items()) if place > n and attempt.status != "cancelled"]


def evolve(run: Run, event: Event) -> Run:
    """The run after the event; `run` itself stays as it was."""
    after = copied(run)
    _apply(after, event)
    return after


def fold(events: Iterable[Event], run: Run | None = None) -> Run:
    """The run after all the events, in order; `run`, which stays as it was, is where to begin."""
    state = Run() if run is None else copied(run)
    for event in events:
        _apply(state, event)
    return state


def copied(run: Run) -> Run:
    """A copy that can be changed without changing `run`; its parts are shared until they are replaced."""
    after: Run = object.__new__(Run)
    for name in _PLAIN:
        setattr(after, name, getattr(run, name))
    for name in _OWN:
        setattr(after, name, getattr(run, name).copy())
    return after


_OWN = ("visits", "attempts", "context", "screens")
_PLAIN = tuple(each.name for each in fields(Run) if each.name not in _OWN)


def _apply(run: Run, event: Event) -> None:
    run.seq += 1
    run.revision = int(event.open.get("revision", run.revision))
    change = CHANGES.get(event.type)
    if change is not None:
        change(run, event)
    if "revision" in event.open:
        run.active_at = event.at
    ending = ENDS.get(event.type)
    if ending is not None:
        _end(run, event, ending)


def _end(run: Run, event: Event, status: Any) -> None:
    here = run.attempt
    if here is not None and here.status in ("open", "performing"):
        left = tuple(replace(each, status="void") if each.status == "open" else each for each in here.approvals)
        _put(run, here, status="failed" if status == "failed" else "cancelled", approvals=left)
    run.status, run.ended_at, run.holder, run.current, run.waiting, run.take_over = status, event.at, None, None, None, None
    run.ticket = None
    run.reason = event.sealed.get("reason", event.sealed.get("message"))
    run.ending = event.open.get("label")


def _put(run: Run, attempt: Attempt, **changes: Any) -> None:
    run.attempts[attempt.n] = _altered(attempt, changes)


def _altered(attempt: Attempt, changes: Mapping[str, Any]) -> Attempt:
    """As `dataclasses.replace`, in a third of its time: a replay alters ten thousand attempts."""
    made: Attempt = object.__new__(Attempt)
    for name in _PARTS:
        object.__setattr__(made, name, changes[name] if name in changes else getattr(attempt, name))
    return made


_PARTS = tuple(each.name for each in fields(Attempt))


def _here(run: Run) -> Attempt:
    here = run.attempt
    if here is None:
        raise ValueError(f"run {run.id} stands at no attempt")
    return here


def _run_started(run: Run, event: Event) -> None:
    told = event.open
    run.id, run.workflow, run.version, run.team = told["id"], told["workflow"], told["version"], told["team"]
    run.collection, run.record, run.exclusive_key = told["collection"], told["record"], told["exclusive"]
    run.label = told.get("label")
    run.started_by, run.holder, run.created_at = told["started_by"], told["holder"], event.at
    run.last_holder = run.holder
    run.input = event.sealed.get("input", {})
    run.linked_to = told.get("linked_to")


def _step_entered(run: Run, event: Event) -> None:
    step, number = event.step or ("", 0)
    run.made = run.current = int(event.open["n"])
    run.visits[step] = number
    defaults = event.sealed.get("defaults")
    run.attempts[run.current] = Attempt(
        *(run.current, step, number, "open", event.at),
        replaces=event.open.get("replaces"),
        defaults=defaults,
    )
    if event.open.get("iteration"):
        run.visits[f"{step}/items"] = run.visits.get(f"{step}/items", 0) + 1
    run.status = event.open["status"]
    run.waiting = run.take_over = None


def _step_submitted(run: Run, event: Event) -> None:
    here = _here(run)
    run.status, run.waiting = "waiting_event", _for_effect(run)
    _put(run, here, status="performing", errors=None, **_handed_in(event))


def _for_effect(run: Run, **more: Any) -> dict[str, Any]:
    """That the run waits for an effect; what it does after that stays."""
    then = {"aborting": run.waiting["aborting"]} if run.waiting and "aborting" in run.waiting else {}
    return {"for": "effect", "until": None, **more, **then}


def _step_completed(run: Run, event: Event) -> None:
    here = _here(run)
    handed_in = _handed_in(event) if "outcome" in event.open else {name: event.sealed[name] for name in ("output",) if name in event.sealed}
    if "came_to" in event.open:
        handed_in["outcome"] = event.open["came_to"]
    done = _altered(here, {"status": "done", "completed_at": event.at, "errors": None, **handed_in})
    run.attempts[here.n] = done
    run.context[here.step] = _context(run, done)
    run.automatic = run.automatic + 1 if event.open.get("automatic") else 0
    run.waiting = run.take_over = None


def _context(run: Run, done: Attempt) -> Mapping[str, Any]:
    """What later steps find. A loop that has further items hands in the one `item` alone: those before it are kept beside it."""
    if done.outcome != NEXT_ITEM or done.output is None:
        return done.context
    told = {name: value for name, value in done.output.items() if name != "item"}
    item = done.output["item"]
    before = run.context.get(done.step, {}).get("items", [])
    return {**told, "items": [*(each for each in before if each["key"] != item["key"]), item]}


def _handed_in(event: Event) -> dict[str, Any]:
    return {
        "by": event.by,
        "outcome": event.open["outcome"],
        "values": event.sealed.get("values", {}),
        "output": event.sealed.get("output"),
        "handled_manually": bool(event.open.get("handled_manually")),
    }


def _step_reopened(run: Run, event: Event) -> None:
    here = _here(run)
    run.status, run.waiting = "waiting_person", None
    values, errors = event.sealed.get("values", {}), event.sealed.get("errors", [])
    _put(run, here, status="open", by=None, outcome=None, values={}, output=None, handled_manually=False, defaults=values, errors=errors)


def _step_failed(run: Run, event: Event) -> None:
    if event.open.get("outcome") is not None:  # the step's way for errors: the run goes on, and later steps find what went wrong
        here = _here(run)
        _put(run, here, status="failed", outcome=event.open["outcome"])
        found = here.values if here.output is None else here.output
        run.context[here.step] = {**(found or {}), "code": event.open["code"], "error": event.sealed.get("message", "")}
        return
    run.status, run.waiting = "waiting_person", None
    asked = event.open["code"] == FORM_NEEDED
    run.take_over = None if asked else {"code": event.open["code"], "message": event.sealed.get("message", "")}


def _attempt_retried(run: Run, event: Event) -> None:
    run.status, run.take_over, run.waiting, run.automatic = event.open["status"], None, None, 0


def _timer_set(run: Run, event: Event) -> None:
    run.status, run.waiting = "waiting_time", {"for": "time", "until": event.open["until"]}
    _put(run, _here(run), outcome=event.open["outcome"], output=event.sealed.get("output"))


def _event_awaited(run: Run, event: Event) -> None:
    told = event.open
    run.status = "waiting_event"
    run.waiting = {"for": told["for"], "until": told["until"], "key": told["key"], "outcome": told["outcome"]}


def _wait_left(run: Run, event: Event) -> None:
    here = _here(run)
    run.status, run.waiting = "waiting_person", None
    run.take_over = {"code": event.open["code"], "message": event.sealed.get("message", "")}
    typed = dict(here.values) or here.defaults
    _put(run, here, status="open", by=None, outcome=None, values={}, output=None, handled_manually=False, defaults=typed)


def _retry_set(run: Run, event: Event) -> None:
    told = event.open
    why = {"effect": told["effect"], "code": told["code"], "message": event.sealed.get("message", "")} if "effect" in told else {}
    run.status, run.waiting = "waiting_time", {**_for_effect(run), "for": "retry", "until": told["until"], "tries": told["tries"], **why}


def _timer_fired(run: Run, _event: Event) -> None:
    """After a retry's timer the tries stay counted until the step is done; a wait breaks the row of automatic steps."""
    if run.waiting is not None and "effect" in run.waiting:
        run.status, run.waiting = "waiting_event", _for_effect(run, tries=run.waiting["tries"])
        return
    run.status = "running"
    if run.waiting is not None and run.waiting["for"] == "retry":
        run.waiting = {**run.waiting, "until": None}
    else:
        run.waiting, run.automatic = None, 0


def _run_saved(run: Run, _event: Event) -> None:
    run.status, run.holder = "saved", None


def _run_resumed(run: Run, event: Event) -> None:
    run.status, run.holder, run.last_holder, run.ticket = "waiting_person", event.open["holder"], event.open["holder"], None


def _run_taken_over(run: Run, event: Event) -> None:
    run.holder = run.last_holder = event.open["holder"]
    run.ticket = None


def _run_assigned(run: Run, event: Event) -> None:
    _run_taken_over(run, event)
    if run.status == "saved":
        run.status = "waiting_person"


def _run_escalated(run: Run, event: Event) -> None:
    told = event.open
    run.holder = None
    run.ticket = {
        "inbox": told["inbox"],
        "priority": told["priority"],
        "reason": event.sealed.get("reason", ""),
        "at": told["at"],
        "by": event.by,
    }


def _run_released(run: Run, _event: Event) -> None:
    run.holder = None


def _attempt_cancelled(run: Run, event: Event) -> None:
    _put(run, run.attempts[int(event.open["n"])], status="cancelled")


def _step_revised(run: Run, event: Event) -> None:
    target = run.attempts[int(event.open["n"])]
    _put(run, target, revised=True)
    run.context = {}
    for _, attempt in sorted(run.attempts.items()):
        if attempt.standing:
            run.context[attempt.step] = _context(run, attempt)
    run.take_over = run.waiting = None


def _effect_requested(run: Run, event: Event) -> None:
    here, told = _here(run), event.open
    wished = Effect(
        *(
            told["effect"],
            int(told["number"]),
            told["effect_kind"],
            told["summary"],
            "requested",
            event.sealed.get("request", {}),
            event.at,
        ),
        compensates=told.get("compensates"),
    )
    _put(run, here, effects=(*here.effects, wished), status="performing")
    if (run.waiting or {}).get("for") != "effect" or "then" in told:  # a compensation at a step that nobody handed in
        then = {"aborting": event.sealed.get("reason", "")} if told.get("then") == "abort" else {}
        run.status, run.waiting, run.take_over = "waiting_event", _for_effect(run) | then, None


def _effect_kept(run: Run, event: Event) -> None:
    here, found = _here(run), run.effect(event.open["of"])
    if found is None:
        raise ValueError(f"run {run.id} has no effect {event.open['of']} at hand")
    told = {"id": event.open["effect"], "number": len(here.effects) + 1, "keeps": found[1].id}
    _put(run, here, effects=(*here.effects, replace(found[1], **told, requested_at=event.at, settled_at=event.at)))


def _effect_succeeded(run: Run, event: Event) -> None:
    _set_effect(run, event, "succeeded")
    if run.unknown is None:
        run.status, run.waiting, run.take_over = "waiting_event", _for_effect(run), None


def _effect_failed(run: Run, event: Event) -> None:
    effect = _set_effect(run, event, "failed")
    if effect.asks:
        _asks_what_came(run, event)
    elif run.unknown is None:
        run.status, run.waiting, run.take_over = "waiting_event", _for_effect(run), None


def _effect_unknown(run: Run, event: Event) -> None:
    _set_effect(run, event, "unknown")
    _asks_what_came(run, event)


def _asks_what_came(run: Run, event: Event) -> None:
    run.status, run.waiting = "waiting_person", _for_effect(run) if "aborting" in (run.waiting or {}) else None
    run.take_over = {"code": event.open["code"], "message": event.sealed.get("message", "")}


def _effect_settled(run: Run, event: Event) -> None:
    _set_effect(run, event, {"done": "succeeded", "not_done": "requested", "left": "failed"}[event.open["result"]])
    run.status, run.waiting, run.take_over = "waiting_event", _for_effect(run), None


def _set_effect(run: Run, event: Event, status: Any) -> Effect:
    found = run.effect(event.open["effect"])
    if found is None:
        raise ValueError(f"run {run.id} has no effect {event.open['effect']} at hand")
    attempt, effect = found
    result = (
        event.sealed.get("result", event.sealed.get("answer"))
        or {key: value for key, value in event.sealed.items() if key in ("message", "errors")}
        or None
    )
    if event.open.get("result") == "left":
        result = {"left": True}
    settled = replace(effect, status=status, settled_at=None if status == "requested" else event.at, result=result)
    _put(run, attempt, effects=tuple(settled if each.id == effect.id else each for each in attempt.effects))
    return settled


def _approval_requested(run: Run, event: Event) -> None:
    here, told = _here(run), event.open
    run.status = "waiting_event"
    run.waiting = {"for": "approval", "until": told.get("until"), "key": told["approval"], "outcome": None}
    _put(run, here, approvals=(*here.approvals, requested(told, event.sealed, event.at)))


def _approval_decided(run: Run, event: Event) -> None:
    told = event.open
    decided = Decided(event.by or "", event.at, told["decision"], event.sealed.get("reason", ""))
    _set_approval(run, event, lambda approval: answered(approval, decided, told["status"]))
    if told["status"] == "approved":
        run.status, run.waiting = "waiting_event", {"for": "effect", "until": None}


def _approval_over(status: Any) -> Callable[[Run, Event], None]:
    def change(run: Run, event: Event) -> None:
        _set_approval(run, event, lambda approval: replace(approval, status=status))

    return change


def _set_approval(run: Run, event: Event, change: Callable[[Approval], Approval]) -> None:
    found = run.approval(event.open["approval"])
    if found is None:
        raise ValueError(f"run {run.id} has no approval {event.open['approval']} at hand")
    attempt, approval = found
    _put(run, attempt, approvals=tuple(change(each) if each.id == approval.id else each for each in attempt.approvals))


def _proposal_requested(run: Run, event: Event) -> None:
    here = run.attempts.get(int(event.open["n"]))
    if here is None:
        return
    if event.open.get("of") is None:
        _put(run, here, proposal=proposal.requested(event.open, event.at))
    elif here.proposal is not None and here.proposal["call"] == event.open["of"]:
        _put(run, here, proposal=proposal.looked_at(here.proposal, event.open))


def _proposal_answered(run: Run, event: Event) -> None:
    here = run.attempts.get(int(event.open["n"]))
    if here is None or here.proposal is None:
        return
    if here.proposal["call"] == event.open["call"]:
        _put(run, here, proposal=proposal.answered(here.proposal, event.type, event.open, event.sealed, event.at))
    elif proposal.of_second(here.proposal, event.open["call"]):
        _put(run, here, proposal=proposal.seen_again(here.proposal, event.type, event.open, event.sealed))


def _context_supplied(run: Run, event: Event) -> None:
    """The steps after it find what was missing; what was handed in then stays as it was."""
    target, given = run.attempts[int(event.open["target"])], event.sealed.get("values", {})
    _put(run, target, output={**target.context, **given, "missing": SUPPLIED})
    run.context[target.step] = {**run.context.get(target.step, {}), **given, "missing": SUPPLIED}


def _step_shown(run: Run, event: Event) -> None:
    screen = event.sealed.get("screen")
    if screen is not None:
        run.screens[int(event.open["n"])] = screen


CHANGES: Mapping[str, Callable[[Run, Event], None]] = {
    "run_started": _run_started,
    "step_entered": _step_entered,
    "step_submitted": _step_submitted,
    "step_completed": _step_completed,
    "step_reopened": _step_reopened,
    "step_failed": _step_failed,
    "attempt_retried": _attempt_retried,
    "timer_set": _timer_set,
    "timer_fired": _timer_fired,
    "retry_set": _retry_set,
    "run_saved": _run_saved,
    "run_resumed": _run_resumed,
    "run_taken_over": _run_taken_over,
    "run_released": _run_released,
    "run_assigned": _run_assigned,
    "run_escalated": _run_escalated,
    "event_awaited": _event_awaited,
    "wait_left": _wait_left,
    "attempt_cancelled": _attempt_cancelled,
    "step_revised": _step_revised,
    "effect_requested": _effect_requested,
    "effect_kept": _effect_kept,
    "effect_succeeded": _effect_succeeded,
    "effect_failed": _effect_failed,
    "effect_unknown": _effect_unknown,
    "effect_settled": _effect_settled,
    "approval_requested": _approval_requested,
    "approval_decided": _approval_decided,
    "approval_voided": _approval_over("void"),
    "approval_expired": _approval_over("expired"),
    "step_shown": _step_shown,
    "proposal_requested": _proposal_requested,
    "proposal_made": _proposal_answered,
    "proposal_failed": _proposal_answered,
    "context_supplied": _context_supplied,
}
"""Kinds that change more than the numbers; the others (a source opened, an outcome named) only count."""
