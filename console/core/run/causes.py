"""What caused a run: one link per cause, the nearest first, back to a person, a schedule, a sender or a change made outside."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from console.core.actor import Actor

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

    def to_json(self, address: str | None = None) -> dict[str, Any]:
        """The link in the shape of the API, with the client's address where the reader may know it."""
        return {name: getattr(self, name) for name in SHOWN} | {"address": address}


Causes: TypeAlias = tuple[Cause, ...]
OUTSIDE = Cause("outside")


def causes_from_json(links: Iterable[Mapping[str, Any]] | None) -> Causes:
    """The links as `stored` wrote them."""
    return tuple(Cause(**link) for link in links or ())


def cause_of_actor(actor: Actor, **more: Any) -> Cause:
    """The link of somebody who acts: by hand, or by a key. `more` overrides what it says."""
    fields: dict[str, Any] = {
        "kind": "key" if actor.kind == "key" else "person",
        "person": actor.id,
        "key": actor.key_id,
    }
    return Cause(**{**fields, "address": actor.address or None, **more})


def people_in(causes: Iterable[Cause]) -> frozenset[str]:
    """Ids of the people, and service accounts, in the links."""
    return frozenset(cause.person for cause in causes if cause.person is not None)


def first_person(causes: Iterable[Cause]) -> str | None:
    """Id of the nearest person in the links."""
    return next((cause.person for cause in causes if cause.person is not None), None)


def stored(causes: Causes, *, addresses: bool = False) -> list[dict[str, Any]]:
    """The links with what is known of each. Only what is kept sealed holds `addresses`; events and rows do not."""
    left_out = () if addresses else ("address",)
    return [
        {name: value for name, value in asdict(cause).items() if value is not None and name not in left_out}
        for cause in causes
    ]


def addresses_in(causes: Causes) -> dict[str, str]:
    """Place of a link → the client's address, for those that have one."""
    return {str(place): cause.address for place, cause in enumerate(causes) if cause.address}


def run_depth(causes: Iterable[Cause]) -> int:
    """How many runs led to one another until here."""
    return max((cause.depth or 0 for cause in causes), default=0)


def goes_round(causes: Iterable[Cause], workflow: str, record: str | None) -> bool:
    """Whether a run of this workflow on this record is among the links."""
    return any(
        cause.run is not None and (cause.workflow, cause.record or "") == (workflow, record or "")
        for cause in causes
    )


def bounded(causes: Iterable[Cause]) -> Causes:
    """At most `MOST` links: those that name nobody go first, then people who are named before, always the furthest away. Nobody is left out."""
    links = list(causes)
    spare = [place for place, link in enumerate(links) if link.person is None]
    spare += [place for place, link in enumerate(links) if link.person in people_in(links[:place])]
    gone = set(sorted(spare, reverse=True)[: max(0, len(links) - MOST)])
    return tuple(link for place, link in enumerate(links) if place not in gone)
