"""Requests of a completed step: effects, something to wait for, an inbox, an approval. New ids come with the values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Wish:
    """An effect that a step wants, or one that takes back the effect `compensates`."""

    id: str
    kind: str
    summary: str
    request: Mapping[str, Any]
    compensates: str | None = None


@dataclass(frozen=True, slots=True)
class Awaited:
    """What a step waits for. `kind` is event, approval, run, documents, task or answer; `key` is its id.

    At `until` (aware) the step is done with `outcome`; without an outcome a person gets it. `effect` is the id of the effect that stands for
    the request, None where there is none. `saw` is the state in which the record was when the wait began (`records.change_state`), where it waits for a change of it.
    """

    kind: str
    key: str
    until: datetime | None = None
    outcome: str | None = None
    request: Mapping[str, Any] = field(default_factory=dict)
    effect: str | None = None
    saw: str | None = None


@dataclass(frozen=True, slots=True)
class SideRow:
    """An event that creates a side row with the step, such as a task or a notice. `kind` is the kind of the event; `n` is added to it."""

    kind: str
    open: Mapping[str, Any]
    sealed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Handover:
    """When the step is done the run goes into an inbox, where another person takes it."""

    inbox: str
    reason: str
    priority: str = "normal"


@dataclass(frozen=True, slots=True)
class ApprovalAsked:
    """A request that other people approve the effects of a step before they are made.

    `needs` different people with one of the `roles` must approve. `not_by` excludes people: `requester`, `step:<id>` (who did that step), or a
    person by id or e-mail address. `why` names the rule. `decides`: the answer is the step's outcome (approved, rejected, expired), and there
    are no effects. `shown` is what the approver sees beside the values; the service fills it if the step does not. `former` is an earlier
    approval of this step for the same values with the same things shown, `counted` its approvers who are still entitled.
    """

    id: str
    action: str
    collection: str | None
    record: str | None
    values: Mapping[str, Any]
    needs: int = 1
    roles: Sequence[str] = ()
    not_by: Sequence[str] = ("requester",)
    why: str = ""
    until: datetime | None = None
    decides: bool = False
    shown: Mapping[str, Any] = field(default_factory=dict)
    former: str | None = None
    counted: frozenset[str] = frozenset()
