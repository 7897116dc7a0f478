"""What started a run that nobody holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from console.core.run.causes import Causes

StartKind: TypeAlias = Literal[
    "record", "manual", "api", "report", "schedule", "event", "webhook", "mcp", "enrolment", "workflow"
]
"""What may start a run: a trigger of its document, a report of somebody, a place in the workflow (`enrolment`), a step of another run (`workflow`)."""
GUIDED, HANDS_OFF = "guided", "hands_off"
MODES = (GUIDED, HANDS_OFF)
SHOWN = ("on", "type", "id", "pos", "at", "collection", "record", "workflow", "run")
"""The parts of an event that whoever sees the run may read. Values of the record are not among them: they have rights of their own."""


FREE = ":free"
"""The end of the key of runs that go on by themselves: they are never ended with the run that started them."""
EACH = ":each"
"""The end of the key of runs of which one may fail without the run that started it."""
KEY_ENDS = {"none": FREE, "each": EACH}
"""When the step is done that starts runs (`Completion.joins`) → the end of their key."""


class RecordRef(NamedTuple):
    """A record by its collection and its key as text."""

    collection: str
    key: str


@dataclass(frozen=True, slots=True)
class Parent:
    """The run whose step starts this one: which `branch` of the step it is, the `key` that the step waits for, and how deep it stands (1: a child of a run that has none)."""

    run: str
    branch: str
    key: str
    depth: int


@dataclass(frozen=True, slots=True)
class Fork:
    """Where a branch begins in its parent's workflow: the step, the context and item that it starts with, and the step at which it ends (None: at an end).

    `guided`: no account is named for the workflow, so whoever takes the branch acts for himself.
    """

    start: str
    join: str | None
    context: Mapping[str, Mapping[str, Any]]
    item: Any = None
    guided: bool = False


@dataclass(frozen=True, slots=True)
class StartedBy:
    """What starts a hands-off run: the trigger's `id` in the document and its kind, the event if there was one, and what caused it.

    Kinds: those of `StartKind`. `event` is kept sealed under the run's subject. `caused_by` is empty where it is not known.
    """

    id: str
    kind: str
    event: Mapping[str, Any] | None = None
    caused_by: Causes = ()


def shown_event(event: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The event without values of records; None without an event."""
    return (
        None
        if event is None
        else {name: event[name] for name in SHOWN if isinstance(event.get(name), str | int)}
    )
