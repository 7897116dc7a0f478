"""What caused a run: one link per cause, the nearest first, back to a person, a schedule, a sender or a change made outside."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from console.core.actor import Actor
from console.errors import Conflict

CauseKind: TypeAlias = Literal["person", "key", "delivery", "schedule", "change", "tag", "run", "outside"]
MOST = 8
"""So many links are kept, and so many runs may lead to one another: more would go on without end."""
SHOWN = ("kind", "person", "key", "trigger", "event", "run", "address", "signed")


@dataclass(frozen=True, slots=True)
class Cause:
    """One link of what caused a run.

    `person` is the id of who acted, for a key that of its owner; `event` the place in the log of the change or tag; `run` the run that made it, of
    `workflow` on `record`, the last of `depth` runs that led here. `address` is the client's, and sealed in the log. `signed`: whether a delivery was signed; None where there was none.
    """

    kind: CauseKind
    person: str | None = None
    key: str | None = None
    trigger: str | None = None
    event: int | None = None
    run: str | None = None
    address: str | None = None
    signed: bool | None = None
    workflow: str | None = None
    record: str | None = None
    depth: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The link in the shape of the API."""
        return {name: getattr(self, name) for name in SHOWN}


Causes: TypeAlias = tuple[Cause, ...]
OUTSIDE = Cause("outside")


def causes_from_json(links: Iterable[Mapping[str, Any]] | None, addresses: Mapping[str, str] | None = None) -> Causes:
    """The links as `stored` wrote them, with the addresses that are kept apart by the place of their link."""
    known = addresses or {}
    return tuple(Cause(**{"address": known.get(str(place)), **link}) for place, link in enumerate(links or ()))


def cause_of_actor(actor: Actor, **more: Any) -> Cause:
    """The link of somebody who acts: by hand, or by a key. `more` overrides what it says."""
    fields: dict[str, Any] = {"kind": "key" if actor.kind == "key" else "person", "person": actor.id, "key": actor.key_id}
    return Cause(**{**fields, "address": actor.address or None, **more})


def people_in(causes: Iterable[Cause]) -> frozenset[str]:
    """Ids of the people, and service accounts, in the links."""
    return frozenset(cause.person for cause in causes if cause.person is not None)


def first_person(causes: Iterable[Cause]) -> str | None:
    """Id of the nearest person in the links."""
    return next((cause.person for cause in causes if cause.person is not None), None)


def stored(causes: Causes, *, addresses: bool = True) -> list[dict[str, Any]]:
    """The links with what is known of each; without `addresses` as the open part of an event holds them."""
    left_out = () if addresses else ("address",)
    return [{name: value for name, value in asdict(cause).items() if value is not None and name not in left_out} for cause in causes]


def addresses_in(causes: Causes) -> dict[str, str]:
    """Place of a link → the client's address, for those that have one."""
    return {str(place): cause.address for place, cause in enumerate(causes) if cause.address}


def run_depth(causes: Iterable[Cause]) -> int:
    """How many runs led to one another until here."""
    return max((cause.depth or 0 for cause in causes), default=0)


def goes_round(causes: Iterable[Cause], workflow: str, record: str | None) -> bool:
    """Whether a run of this workflow on this record is among the links."""
    return any(cause.run is not None and (cause.workflow, cause.record or "") == (workflow, record or "") for cause in causes)


def bounded(causes: Iterable[Cause]) -> Causes:
    """The links, at most `MOST`: those that name nobody go first, then people who are named before, always the furthest away.

    Raises Conflict `too_many_causes` where more people are behind it.
    """
    links = list(causes)
    spare = [place for place, link in enumerate(links) if link.person is None]
    spare += [place for place, link in enumerate(links) if link.person in people_in(links[:place])]
    gone = set(sorted(spare, reverse=True)[: max(0, len(links) - MOST)])
    left = tuple(link for place, link in enumerate(links) if place not in gone)
    if len(left) > MOST:
        raise Conflict(f"More than {MOST} people are behind this run: start a new one.", code="too_many_causes")
    return left
