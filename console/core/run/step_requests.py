"""What a step asks for when it is completed: effects, something to wait for, an inbox, an approval. New ids come with the values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Wish:
    """An effect that a step asks for, or one that takes back what `compensates` names."""

    id: str
    kind: str
    summary: str
    request: Mapping[str, Any]
    compensates: str | None = None


@dataclass(frozen=True, slots=True)
class Awaited:
    """What a step waits for before it is done. `kind` is event, approval, run, documents, task or answer; `key` is the id of ours that names it.

    At `until` (aware) the step is done with `outcome`, or without one a person is asked. `effect` is the id under which what is asked for stands
    as something that the step has made, where it is that.
    """

    kind: str
    key: str
    until: datetime | None = None
    outcome: str | None = None
    request: Mapping[str, Any] = field(default_factory=dict)
    effect: str | None = None


@dataclass(frozen=True, slots=True)
class SideRow:
    """Something beside the run that happens with the step: a task was made, people were told. An event of this kind, with `n` added."""

    kind: str
    open: Mapping[str, Any]
    sealed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Handover:
    """The run goes into an inbox when the step is done: whoever works there goes on with it."""

    inbox: str
    reason: str
    priority: str = "normal"


@dataclass(frozen=True, slots=True)
class ApprovalAsked:
    """Effects of a step that are asked for only when others have approved.

    `needs` different people with one of the `roles`, none of those that `not_by` rules out (`requester`, `step:<id>` for who did that step, or a
    person by id or e-mail address); `why` says which rule asks. `decides`: the answer is the step's outcome (approved, rejected, expired), and
    there are no effects. `shown` is what the approver is shown beside the values; the service fills it where a step leaves it empty. `former` is an approval that this step
    was given before for the same values, beside which the same was shown, and `counted` are those of its approvers who still may give it.
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
