"""What a step returns when it is completed: the outcome, the values, and what the service has to do for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, Literal, TypeAlias

from console.core.documents.action_document import ActionEffect
from console.core.forms import FormField
from console.core.run import Run
from console.core.run.step_requests import ApprovalAsked, Awaited, Handover

Values: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Option:
    """A button of a step that asks for a choice. `fields` are shown with the options that name them; `required` must be filled in.

    `entails` says in a line what follows from the choice.
    """

    value: str
    label: str
    fields: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    entails: str = ""

    def to_json(self) -> dict[str, Any]:
        """The option in the shape of the API; without `fields` where it has none of its own."""
        own = (
            {"fields": list(self.fields), "required": list(self.required)}
            if self.fields or self.required
            else {}
        )
        return {
            "value": self.value,
            "label": self.label,
            **own,
            **({"entails": self.entails} if self.entails else {}),
        }


@dataclass(frozen=True, slots=True)
class People:
    """People: persons by id or e-mail address, everybody with one of the roles, everybody in a team."""

    persons: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    team: str | None = None


@dataclass(frozen=True, slots=True)
class TaskWanted:
    """A task for a person or a team. With `waits` the step is done when the task is closed, with the outcome `done` or `not_done`.

    `once` names what it is about: where this step of the workflow has made a task for the same, none is made.
    """

    title: str
    text: str | None = None
    assignee: str | None = None
    team: str | None = None
    due: date | None = None
    waits: bool = False
    once: str | None = None


@dataclass(frozen=True, slots=True)
class NoticeWanted:
    """A notice for people, in the console and with `mail` also by mail."""

    text: str
    to: People
    mail: bool = True


@dataclass(frozen=True, slots=True)
class MessageWanted:
    """A message to somebody outside; the run waits until it has left, a call until it has ended.

    `channel` is email, sms, call or chat; `content` is what leaves: `to`, `subject`, `text`, `scripts` and so on. `consent` names the consent that it
    needs. `named` are the outcomes that the document names: only those are taken by the run itself where it cannot leave.
    `expires_s`: a person is asked again where it waited longer. A call is made at most `most` times, `again_s` apart. `about`: a campaign, or a case that is under way.
    """

    channel: str
    content: Mapping[str, Any]
    consent: str | None
    named: tuple[str, ...]
    expires_s: int
    most: int = 1
    again_s: int = 0
    about: str = "campaign"


@dataclass(frozen=True, slots=True)
class TagWanted:
    """A tag that the run's record is to have (`added`), or not to have."""

    name: str
    added: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """A form for other people. The step is done when `needs` of them chose the same outcome, or at `until` with the outcome `otherwise`."""

    to: People
    title: str
    text: str | None
    fields: tuple[FormField, ...]
    outcomes: tuple[Option, ...]
    needs: int = 1
    until: datetime | None = None
    otherwise: str | None = None


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """A requested change of the run's record: field → {"old", "new"}. A field that no longer has its old value is a conflict.

    With `collection` and `key` that record is changed instead. `tells`: name in the step's output → the field whose stored value it tells.
    `anew`: what replaces values of the output where the database keeps other values, so that a loop is judged anew by what is stored.
    """

    changes: Mapping[str, Mapping[str, Any]]
    collection: str | None = None
    key: str | None = None
    tells: Mapping[str, str] = field(default_factory=dict)
    anew: Mapping[str, Any] = field(default_factory=dict)
    kind: ClassVar[str] = "sql_write"

    def request(self, run: Run) -> dict[str, Any]:
        """The payload of the effect, as it is stored and performed."""
        collection, key = (
            (run.collection, run.record) if self.collection is None else (self.collection, self.key)
        )
        request = {
            "collection": collection,
            "key": key,
            "changes": {name: dict(change) for name, change in self.changes.items()},
        }
        return (
            request
            | ({"tells": dict(self.tells)} if self.tells else {})
            | ({"anew": dict(self.anew)} if self.anew else {})
        )

    @property
    def summary(self) -> str:
        """The change in lists and previews: field names only, never values."""
        return "Update " + ", ".join(name.replace("_", " ") for name in sorted(self.changes))


@dataclass(frozen=True, slots=True)
class Child:
    """A run that the step starts and waits for: of another `workflow` with its record and input, or a branch of this one that begins at the step `start`.

    Without `collection` or `record` it is about the record of the run that starts it, if its workflow is about such records. `alone`: it is the one live run on it.
    """

    branch: str
    workflow: str | None = None
    collection: str | None = None
    record: str | None = None
    input: Mapping[str, Any] = field(default_factory=dict)
    start: str | None = None
    item: Any = None
    alone: bool | None = None

    def to_json(self) -> dict[str, Any]:
        """The values that are kept in the attempt."""
        return {name: getattr(self, name) for name in self.__slots__ if getattr(self, name) not in (None, {})}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Child":
        """The child from what the attempt keeps."""
        return cls(**stored)


BEFORE, NEXT = "before", "next"
"""In the values of a step that goes through a long list a part at a time: the output so far, and where to read on."""
MOST_KEPT = 1_000


def joined(rows: Sequence[Values], going_on: Mapping[str, Any]) -> Values:
    """The output of a loop after the items `rows` (key, status, what their steps left). Of a list in parts only items that were not completed are kept: it may be very long."""
    before, following = going_on.get(BEFORE) or {}, going_on.get(NEXT)
    made = sum(isinstance(left, dict) and left.get("made") is True for row in rows for left in row.values())
    counted = {"done": sum(row["status"] == "completed" for row in rows), "total": len(rows), "made": made}
    if before or following is not None:
        rows = [*before.get("items", ()), *(row for row in rows if row["status"] != "completed")][:MOST_KEPT]
    totals = {name: before.get(name, 0) + number for name, number in counted.items()}
    return {
        "items": list(rows),
        **totals,
        **{name: going_on[name] for name in (NEXT, "more") if going_on.get(name)},
    }


@dataclass(frozen=True, slots=True)
class Completion:
    """The result of a step. `values` is what was submitted, `output` what later steps find as `steps.<id>` (None: the values).

    **An effect and then a wait for what comes of it** (start a call, then wait until it has ended): give both `effects` and
    `awaits=Awaited("event", key, until, outcome)`, with a `key` of your own that the answer will name. The step is done when `runs.arrive(ENGINE, run_id, key,
    outcome=…, output=…)` is called, also if that happens before the effect's own result is known; at `until` (aware) it is done with the outcome
    of `awaits`, without one the workflow's rule for errors applies. If the effect fails, nothing is waited for; if its result is unknown, a person is asked,
    unless the answer comes. `steps.<id>` has the effect's `result` and the output of the answer. `outcome` must lead somewhere; it counts only if
    the answer names none.
    """

    outcome: str
    values: Values = field(default_factory=dict)
    output: Values | None = None
    effects: tuple[WriteRecord | ActionEffect, ...] = ()
    awaits: Awaited | None = (
        None  # the step is done when this has arrived; with effects, after those were made
    )
    hands_over: Handover | None = None  # into an inbox, where others continue the run
    approval: ApprovalAsked | None = None  # the effects are requested when others have approved
    task: TaskWanted | None = None
    notice: NoticeWanted | None = None
    message: MessageWanted | None = None  # the step is done when it has left; without effects
    tag: TagWanted | None = None
    question: Question | None = None  # the step is done when the question is answered; without effects
    children: tuple[
        Child, ...
    ] = ()  # runs that are started; the step is done when they have ended, with an output by branch
    joins: Literal["all", "any", "each", "none"] = (
        "all"  # when the step is done: see `console.runs.engine.children`
    )
    until: datetime | None = (
        None  # the run waits until then (aware), and the step is done; automatic types only, without effects
    )
    asks_ai: bool = False  # the step is done when the AI has answered; without effects
    ends: str | None = None  # label of the end that was reached: the run completes
    chosen: str | None = None  # label of the outcome that a rule chose
    rule: str | None = None  # the source text of that rule

    @property
    def involves_others(self) -> bool:
        """Whether somebody else is told or asked, or the run waits for something."""
        wanted = (self.awaits, self.task, self.notice, self.message, self.tag, self.question)
        return any(each is not None for each in wanted)
