"""A request for approval as a value: what is to be approved, for which values, who may answer, and who has answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

ApprovalStatus = Literal["open", "approved", "rejected", "void", "expired"]
APPROVE, REJECT = "approve", "reject"
MESSAGE = "message"
"""Kind of a wish that is no effect: a message to somebody outside, which is asked for when others have approved."""


@dataclass(frozen=True, slots=True)
class Decided:
    """One person's answer. `decision` is approve or reject; `stands_in_for` are people who were away and in whose place it was given."""

    by: str
    at: datetime
    decision: str
    reason: str = ""
    stands_in_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Approval:
    """A request that `needs` different people with one of `roles` approve. `not_by` excludes people.

    `values` is what they approve, `wishes` the effects that follow (fields of `Wish`). `shown` is displayed beside the values: `text`, `fields`
    (labels and types of the values) and `record` (its values at the time of the request). `decides`: the answer is the step's outcome, and
    there are no effects.
    """

    id: str
    action: str
    status: ApprovalStatus
    requested_by: str
    requested_at: datetime
    collection: str | None = None
    record: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    wishes: tuple[Mapping[str, Any], ...] = ()
    decided: tuple[Decided, ...] = ()
    needs: int = 1
    roles: tuple[str, ...] = ()
    not_by: tuple[str, ...] = ()
    why: str = ""
    until: datetime | None = None
    shown: Mapping[str, Any] = field(default_factory=dict)
    decides: bool = False

    @property
    def of_action(self) -> bool:
        """Whether it is about an action, so that who answers needs the right to approve that; else the roles alone count."""
        return not self.decides and all(wish["kind"] != MESSAGE for wish in self.wishes)

    @property
    def approvers(self) -> tuple[str, ...]:
        """Who has approved, each once, in the order of their answers."""
        return tuple(dict.fromkeys(each.by for each in self.decided if each.decision == APPROVE))

    def answered_by(self, person: str) -> bool:
        """Whether this person has answered."""
        return any(each.by == person for each in self.decided)


def requested(open_data: Mapping[str, Any], sealed: Mapping[str, Any], at: datetime) -> Approval:
    """The approval of an event `approval_requested`."""
    until = open_data.get("until")
    return Approval(
        *(
            open_data["approval"],
            open_data["action"],
            "open",
            open_data["requested_by"],
            at,
            open_data.get("collection"),
            open_data.get("record"),
        ),
        values=sealed.get("values", {}),
        wishes=tuple(sealed.get("wishes", ())),
        needs=open_data["needs"],
        roles=tuple(open_data["roles"]),
        not_by=tuple(open_data["not_by"]),
        why=sealed.get("why", ""),
        until=datetime.fromisoformat(until) if until else None,
        shown=sealed.get("shown", {}),
        decides=bool(open_data.get("decides")),
    )


def answered(approval: Approval, decided: Decided, status: ApprovalStatus) -> Approval:
    """The approval after one more answer."""
    return replace(approval, decided=(*approval.decided, decided), status=status)
