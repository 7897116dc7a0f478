"""A run that is only thought through: what a tester chose takes the place of people and of the world outside, and time jumps. Pure.

Only the choices are made here; what follows from each is decided by the same rules as in every run (`decisions.decide`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from console.core.connectors import operation
from console.core.documents.saved_tests import WITHIN, ChosenAnswer, ChosenEnding
from console.core.moments import moment_text
from console.core.run import Attempt, Effect, Run
from console.core.run.commands import Approve, Command, Fire, Reject, Report
from console.core.run.effect_changes import as_stored

ID = "run_dry"
"""The id of a run that is only thought through."""
APPROVER = "tester"
"""The people who approve in a simulation: `tester_1`, `tester_2` …"""
NOT_DONE = "The tester chose that this fails."
NOT_KNOWN = "The tester chose that it cannot be told whether this was done."


@dataclass(frozen=True, slots=True)
class Script:
    """What the tester chose, by step. One answer counts each time that the step is entered, of a list the nth counts the nth time.

    `recorded`: the answers are those of a run that has ended, with values that its steps worked out; only what is asked for now counts of them.
    """

    answers: Mapping[str, ChosenAnswer | Sequence[ChosenAnswer]] = field(default_factory=dict)
    endings: Mapping[str, ChosenEnding | Sequence[ChosenEnding]] = field(default_factory=dict)
    recorded: bool = False

    def answer(self, step: str, attempt: int) -> ChosenAnswer | None:
        """What is answered when the step is entered for the `attempt`th time; None: nothing was chosen."""
        chosen = self.answers.get(step)
        return chosen if chosen is None or isinstance(chosen, ChosenAnswer) else _nth(chosen, attempt)

    def ending(self, step: str, attempt: int) -> ChosenEnding | None:
        """How what the step does outside ends then; None: nothing was chosen."""
        chosen = self.endings.get(step)
        return chosen if chosen is None or isinstance(chosen, ChosenEnding) else _nth(chosen, attempt)

    def within(self, step: str) -> "Script":
        """What was chosen for the steps of the workflow that the step runs."""
        start = f"{step}{WITHIN}"
        return Script(_below(self.answers, start), _below(self.endings, start), self.recorded)


Choice = TypeVar("Choice")


def _nth(chosen: Sequence[Choice], number: int) -> Choice | None:
    return chosen[number - 1] if 0 < number <= len(chosen) else None


def _below(chosen: Mapping[str, Any], start: str) -> dict[str, Any]:
    return {name.removeprefix(start): value for name, value in chosen.items() if name.startswith(start)}


@dataclass(frozen=True, slots=True)
class SimulatedStep:
    """A step of the path. `branch` names the run beside it to which it belongs; `output` None: it has not ended."""

    step: str
    attempt: int
    type: str
    title: str
    status: str
    outcome: str | None
    input: Mapping[str, Any]
    output: Mapping[str, Any] | None
    at: datetime
    branch: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A message waits until this moment, and why."""

    until: datetime
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """What would become of the so manyth such message to the same contact, asked for as this one leaves: `status` as that of a delivery."""

    number: int
    status: str
    at: datetime
    code: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        """REPEAT of the API."""
        return {
            "number": self.number,
            "status": self.status,
            "at": moment_text(self.at),
            "code": self.code,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the rules for reaching people say of a message, or of one try of a call: `status` is sent, skipped or expired, `at` when it leaves or is given up.

    `contact` and `to` are whom it would reach, as far as the tester may know it; `held` is what it waits for before. `outcome` is how a call ends then.
    `repeats` say what the caps do to the second and the tenth such message.
    """

    channel: str
    contact: str
    to: str | None
    status: str
    at: datetime
    code: str = ""
    reason: str = ""
    held: Sequence[Held] = ()
    outcome: str = ""
    repeats: Sequence[Repeat] = ()

    @property
    def leaves(self) -> bool:
        """Whether it leaves, at once or later."""
        return self.status == "sent"

    def to_json(self) -> dict[str, Any]:
        """DELIVERY of the API."""
        held = [
            {"until": moment_text(each.until), "code": each.code, "reason": each.reason} for each in self.held
        ]
        plain = {
            name: getattr(self, name) for name in ("channel", "contact", "to", "status", "code", "reason")
        }
        return plain | {
            "at": moment_text(self.at),
            "waits": held,
            "repeats": [each.to_json() for each in self.repeats],
        }


class Gate(Protocol):
    """Judges messages that are only thought through. Nothing is written or sent."""

    def deliver(
        self, about: tuple[str | None, str | None], message: Mapping[str, Any], now: datetime
    ) -> Delivery:
        """What becomes of a message about this record (collection, key) that is asked for now. Raises SourceDown."""


@dataclass(frozen=True, slots=True)
class WouldSend:
    """Something that would have left the console, or been asked of people. `deliveries`: of a message, one for each try."""

    step: str
    attempt: int
    kind: str
    summary: str
    request: Mapping[str, Any]
    deliveries: Sequence[Delivery] = ()

    def to_json(self) -> dict[str, Any]:
        """The same in the shape of the API."""
        plain = {name: getattr(self, name) for name in ("step", "attempt", "kind", "summary", "request")}
        return plain | {"deliveries": [each.to_json() for each in self.deliveries]}


@dataclass(frozen=True, slots=True)
class Question:
    """What has to be chosen before the run can go on. `kind` is form, approval, question, task, documents, event, model, unknown or stuck.

    `errors` are those of what was answered already; `refused`: the step did not take the answer. `step` names a step of another workflow as `pay/confirm`.
    """

    step: str
    attempt: int
    kind: str
    title: str
    text: str | None = None
    fields: Sequence[Mapping[str, Any]] = ()
    outcomes: Sequence[Mapping[str, Any]] = ()
    why: str = ""
    errors: Sequence[Mapping[str, Any]] = ()
    answered: bool = False
    refused: bool = False

    def to_json(self) -> dict[str, Any]:
        """The question in the shape of the API."""
        plain = {name: getattr(self, name) for name in ("step", "attempt", "kind", "title", "text", "why")}
        return plain | {
            name: [dict(each) for each in getattr(self, name)] for name in ("fields", "outcomes", "errors")
        }


@dataclass(frozen=True, slots=True)
class Simulated:
    """What came of it. `outcome` is the label of the end; `notes` say where a real run could differ, `record` are the values that its record would have."""

    status: str
    outcome: str | None
    path: Sequence[SimulatedStep]
    would_send: Sequence[WouldSend]
    question: Question | None
    notes: Sequence[str] = ()
    record: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The result in the shape of the API."""
        path = [
            {
                name: getattr(each, name)
                for name in ("step", "attempt", "outcome", "type", "title", "status", "branch")
            }
            | {
                "input": dict(each.input),
                "output": None if each.output is None else dict(each.output),
                "at": moment_text(each.at),
            }
            for each in self.path
        ]
        return {
            "status": self.status,
            "outcome": self.outcome,
            "path": path,
            "would_send": [each.to_json() for each in self.would_send],
            "stopped_at": self.question.step if self.question is not None else None,
            "question": self.question.to_json() if self.question is not None else None,
            "notes": list(self.notes),
        }


def report_of(attempt: Attempt, effect: Effect, chosen: ChosenEnding | None) -> Report:
    """The result of an effect as it was chosen: it succeeds unless the tester says otherwise. A result of the last effect names the action's outcome."""
    outcome = chosen.outcome if chosen is not None else "succeeded"
    given = dict(chosen.result or {}) if chosen is not None else {}
    if outcome == "unknown":
        return Report(effect.id, "unknown", "chosen", NOT_KNOWN)
    if outcome == "failed":
        message = str(given.get("message") or NOT_DONE)
        return Report(
            effect.id,
            "failed",
            str(given.get("code") or "chosen"),
            message,
            [{"field": "", "reason": message}],
        )
    define = effect.request.get("define")
    if not isinstance(define, Mapping):
        return Report(effect.id, "succeeded", result=given or None)
    does = operation(define) if effect.kind == "connector" else None
    if does is not None and not given:
        given = does.simulated({}, str(effect.request.get("key")))
    last = effect.number == len(attempt.effects)
    ends = (
        {"outcome": str(given.pop("outcome", "succeeded"))} if last and "outcomes" in effect.request else {}
    )
    return Report(effect.id, "succeeded", result={"name": define.get("name"), "values": given, **ends})


def fired(run: Run) -> tuple[Command, datetime] | None:
    """The timer of the run with the moment to which time jumps; None where nothing is due by itself."""
    until = (run.waiting or {}).get("until")
    return (
        (Fire(run.current), datetime.fromisoformat(until))
        if until is not None and run.current is not None
        else None
    )


def approval_command(run: Run, answer: ChosenAnswer) -> Command | None:
    """The next answer to the approval that the run waits for; None where the tester chose none."""
    key, attempt = str((run.waiting or {}).get("key")), run.attempt
    approval = (
        next((each for each in attempt.approvals if each.id == key), None) if attempt is not None else None
    )
    said = answer.approval or (answer.outcome if approval is not None and approval.decides else None)
    if approval is None or said not in ("approved", "rejected"):
        return None
    by = f"{APPROVER}_{len(approval.decided) + 1}"
    if said == "rejected":
        return Reject(by, key, str(answer.values.get("reason") or "Rejected in the dry run."), "The approver")
    return Approve(by, key, counted=frozenset(approval.approvers))


def written(record: Mapping[str, Any], key: tuple[str | None, str | None], effect: Effect) -> dict[str, Any]:
    """The values of the record after the effect succeeded, if it writes them; only fields that are there. `key`: its collection and key."""
    request = as_stored(effect.request, effect.result)
    if (request.get("collection"), request.get("key")) != key or not isinstance(
        request.get("changes"), Mapping
    ):
        return dict(record)
    return {
        **record,
        **{name: change["new"] for name, change in request["changes"].items() if name in record},
    }


HIDDEN_PARTS = frozenset({"key", "hash", "index", "require", "variables", "related", "outcomes", "done"})
"""What a request holds besides what leaves: only the console needs it."""


def would_send(step: str, attempt: Attempt, effect: Effect, deliveries: Sequence[Delivery] = ()) -> WouldSend:
    """The effect as it is told. A message, task or request for documents is told as it was asked for; a message also with whom it would reach."""
    message, changes = effect.request.get("asked"), effect.request.get("changes")
    if isinstance(message, Mapping):
        request = dict(message)
        content = request.get("content")
        if deliveries and isinstance(content, Mapping):
            request["content"] = {**content, "to": content.get("to") or deliveries[0].to}
    elif isinstance(changes, Mapping):
        request = {
            "collection": effect.request.get("collection"),
            "record": effect.request.get("key"),
            "changes": dict(changes),
        }
    else:
        request = {name: value for name, value in effect.request.items() if name not in HIDDEN_PARTS}
    return WouldSend(step, attempt.attempt, effect.kind, effect.summary, request, deliveries)
