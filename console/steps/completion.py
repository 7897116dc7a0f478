"""What a step returns when it is completed: the outcome, the values, and what the service has to do for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, TypeAlias

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
        own = {"fields": list(self.fields), "required": list(self.required)} if self.fields or self.required else {}
        return {"value": self.value, "label": self.label, **own, **({"entails": self.entails} if self.entails else {})}


@dataclass(frozen=True, slots=True)
class People:
    """People: persons by id or e-mail address, everybody with one of the roles, everybody in a team."""

    persons: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    team: str | None = None


@dataclass(frozen=True, slots=True)
class TaskWanted:
    """A task for a person or a team. With `waits` the step is done when the task is closed, with the outcome `done` or `not_done`."""

    title: str
    text: str | None = None
    assignee: str | None = None
    team: str | None = None
    due: date | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class NoticeWanted:
    """A notice for people, in the console and with `mail` also by mail."""

    text: str
    to: People
    mail: bool = True


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

    With `collection` and `key` that record is changed instead.
    """

    changes: Mapping[str, Mapping[str, Any]]
    collection: str | None = None
    key: str | None = None
    kind: ClassVar[str] = "sql_write"

    def request(self, run: Run) -> dict[str, Any]:
        """The payload of the effect, as it is stored and performed."""
        collection, key = (run.collection, run.record) if self.collection is None else (self.collection, self.key)
        return {"collection": collection, "key": key, "changes": {name: dict(change) for name, change in self.changes.items()}}

    @property
    def summary(self) -> str:
        """The change in lists and previews: field names only, never values."""
        return "Update " + ", ".join(name.replace("_", " ") for name in sorted(self.changes))


@dataclass(frozen=True, slots=True)
class Completion:
    """The result of a step. `values` is what was submitted, `output` what later steps find as `steps.<id>` (None: the values)."""

    outcome: str
    values: Values = field(default_factory=dict)
    output: Values | None = None
    effects: tuple[WriteRecord | ActionEffect, ...] = ()
    awaits: Awaited | None = None  # the step is done when this has arrived; without effects
    hands_over: Handover | None = None  # into an inbox, where others continue the run
    approval: ApprovalAsked | None = None  # the effects are requested when others have approved
    task: TaskWanted | None = None
    notice: NoticeWanted | None = None
    question: Question | None = None  # the step is done when the question is answered; without effects
    until: datetime | None = None  # the run waits until then (aware), and the step is done; automatic types only, without effects
    asks_ai: bool = False  # the step is done when the AI has answered; without effects
    ends: str | None = None  # label of the end that was reached: the run completes
    chosen: str | None = None  # label of the outcome that a rule chose
    rule: str | None = None  # the source text of that rule
