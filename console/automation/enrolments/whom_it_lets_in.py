"""Whom the triggers of a workflow would let in now, within what the reader sees, without those who are in it already or would leave at once."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from console import log, records
from console.auth.access import scope_for
from console.automation.enrolments import admission, exits, targets, whom_to_enrol
from console.automation.enrolments.admission import ENROLLED, Candidate
from console.automation.enrolments.whom_to_enrol import Question
from console.browse import tags
from console.core import expressions, policy
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.documents.triggers import Trigger
from console.core.documents.workflow import Workflow
from console.core.errors import ConsoleError, SourceDown
from console.core.tag_names import TagName

MOST_LOOKED = 20_000
"""Records that are looked at for those who would be let in."""
LONGEST_S = 1.0
KNOWN_OF_EVENTS = frozenset({"on", "tag"})
EVENT_UNKNOWN = (
    "Whom the trigger picks depends on what happens then, so everybody in the collection is counted."
)


@dataclass(frozen=True, slots=True)
class Way:
    """A trigger by which records come in: those of `segment`, or those that fit `filter` with the event `on`."""

    segment: str | None = None
    on: str | None = None
    filter: str | None = None


@dataclass(slots=True)
class LetIn:
    """How many records would be let in. `more`: there are others, who were not looked at. `inside` and `leaving` are not counted."""

    count: int = 0
    more: bool = False
    inside: int = 0
    leaving: int = 0
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """LET_IN of the API."""
        return asdict(self)


def ways_in(document: Workflow) -> tuple[list[Way], list[str]]:
    """The triggers that say which records come in by themselves, and what cannot be said of them."""
    ways, notes = [], []
    for trigger in document.triggers:
        if trigger.enabled is False or trigger.record is not None:
            continue
        if trigger.kind == "schedule" and trigger.segment is not None:
            ways.append(Way(trigger.segment))
        elif trigger.kind == "event":
            unknown = _depends_on_event(trigger)
            if unknown:
                notes.append(EVENT_UNKNOWN)
            ways.append(Way(on=trigger.on, filter=None if unknown else trigger.filter))
    return ways, list(dict.fromkeys(notes))


def _depends_on_event(trigger: Trigger) -> bool:
    if trigger.filter is None:
        return False
    paths = list(expressions.paths(expressions.parse(trigger.filter)))
    return any(
        path[0] == "former" or (path[0] == "event" and (len(path) < 2 or path[1] not in KNOWN_OF_EVENTS))
        for path in paths
    )


def find(actor: Actor, workflow: str, document: Workflow) -> LetIn | None:
    """Count whom the triggers of the document would let in now; None where none of them says whom.

    Raises NotFound, NotAllowed, Malformed, SourceDown.
    """
    ways, notes = ways_in(document)
    if document.collection is None or not ways:
        return None
    let_in, fitting, looked, until = LetIn(notes=notes), set[str](), 0, time.monotonic() + LONGEST_S
    target = replace(targets.find(workflow), document=document, collection=document.collection)
    for way in ways:
        for page in _pages(actor, target, way):
            looked += len(page)
            new = _fitting(actor, document, way, [key for key in page if key not in fitting])
            fitting.update(new)
            _count(target, new, let_in)
            if looked >= MOST_LOOKED or time.monotonic() > until:
                let_in.more = True
                return let_in
    return let_in


def _pages(actor: Actor, target: targets.Target, way: Way) -> Iterator[list[str]]:
    question = Question(segment=way.segment, whole=way.segment is None)
    for part, _ in whom_to_enrol.chunks(actor, target, question, actor.id, {}):
        yield [each.record for each in part if each.record is not None and not each.wrong]


def _fitting(actor: Actor, document: Workflow, way: Way, keys: Sequence[str]) -> list[str]:
    """The keys of the records that the filter of the trigger takes."""
    if not keys or (way.filter is None and way.on not in ("tag.added", "tag.removed")):
        return list(keys)
    collection = records.collection(str(document.collection))
    wanted = expressions.parse(way.filter) if way.filter is not None else None
    variables = policy.rules(document, log.now()).roots
    there = records.records_by_key(collection.id, keys, scope_for(actor, collection.id, "read"), None)
    events = _events(collection, way, keys)
    return [
        key
        for key, record in there.items()
        if any(
            wanted is None
            or _holds(
                wanted,
                {
                    "record": collection.typed(record.values),
                    "former": None,
                    "event": event,
                    "now": log.now(),
                    **variables,
                },
            )
            for event in events[key]
        )
    ]


def _events(
    collection: Collection, way: Way, keys: Sequence[str]
) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Key → the events that could let the record in: one for each of its tags where the trigger is about tags."""
    if way.on not in ("tag.added", "tag.removed"):
        return {key: [{"on": way.on}] for key in keys}
    named = tags.names_of(collection, keys)
    return {key: [{"on": way.on, "tag": TagName(name)} for name in named.get(key, ())] for key in keys}


def _holds(wanted: expressions.Expression, roots: Mapping[str, Any]) -> bool:
    try:
        return wanted.test(roots)
    except SourceDown:
        raise
    except (ConsoleError, ValueError, TypeError):  # the trigger lets nobody in then, either
        return False


def _count(target: targets.Target, keys: Sequence[str], let_in: LetIn) -> None:
    """Count those who are not in the workflow, and whom no exit would take out at once."""
    answers = admission.judge(target, [Candidate(number, key) for number, key in enumerate(keys)])
    free = [each.record for each in answers if each.status == ENROLLED and each.record is not None]
    staying = exits.staying(target, free)
    let_in.inside += len(keys) - len(free)
    let_in.leaving += len(free) - len(staying)
    let_in.count += len(staying)
