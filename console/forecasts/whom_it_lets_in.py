"""Whom a workflow would let in now: those of its triggers, else all of its collection, within what the tester sees, without those who are in it already."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from console import log, records
from console.access import scope_for
from console.contacts import tags
from console.core import expressions, policy
from console.core.actor import Actor
from console.core.documents.triggers import Trigger
from console.core.documents.workflow import Workflow
from console.core.tag_names import TagName
from console.enrolments import admission, exits, targets, whom_to_enrol
from console.enrolments.admission import ENROLLED, Candidate
from console.enrolments.whom_to_enrol import Question
from console.errors import ConsoleError, SourceDown
from console.records import Record

MOST = 1_000
MOST_LOOKED = 20_000
"""So many records are looked through for those who would be let in."""
EVERYBODY = "*"
KNOWN_OF_EVENTS = frozenset({"on", "tag"})
EVENT_UNKNOWN = "Whom the trigger picks depends on what happens then, so everybody in the collection is taken."


@dataclass(frozen=True, slots=True)
class Way:
    """A trigger by which people come in, as far as it says whom: `segment` of the collection, and what each record must be (`fits`) with the event that it takes."""

    trigger: str | None
    segment: str | None = None
    sort: str | None = None
    event: Mapping[str, Any] | None = None
    filter: str | None = None
    input: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Candidates:
    """Those who would be let in: key → values of the start that their trigger gives. `more`: there are others. `looked`: so many records were looked at."""

    found: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    looked: int = 0
    inside: int = 0
    leaving: int = 0
    more: bool = False
    notes: list[str] = field(default_factory=list)


def ways_in(document: Workflow) -> tuple[list[Way], list[str]]:
    """The ways by which records come in by themselves, and what cannot be said of them; without one, everybody may be started by hand."""
    ways, notes = [], []
    for trigger in document.triggers:
        if trigger.enabled is False or trigger.record is not None:
            continue
        if trigger.kind == "schedule" and trigger.segment is not None:
            ways.append(Way(trigger.id, trigger.segment, trigger.sort, input=trigger.input))
        elif trigger.kind == "event":
            unknown = _depends_on_event(trigger)
            if unknown:
                notes.append(EVENT_UNKNOWN)
            ways.append(Way(trigger.id, event={"on": trigger.on}, filter=None if unknown else trigger.filter))
    return ways or [Way(None)], list(dict.fromkeys(notes))


def _depends_on_event(trigger: Trigger) -> bool:
    if trigger.filter is None:
        return False
    paths = list(expressions.paths(expressions.parse(trigger.filter)))
    return any(path[0] == "former" or (path[0] == "event" and (len(path) < 2 or path[1] not in KNOWN_OF_EVENTS)) for path in paths)


def find(
    actor: Actor,
    workflow: str,
    document: Workflow,
    *,
    whom: str = "",
    most: int = MOST,
    going_on: Callable[[], bool] = lambda: True,
) -> Candidates:
    """At most `most` of them: those of its triggers, of the segment `whom`, or with `EVERYBODY` of the collection. `going_on` is asked for each page of records.

    Raises NotFound, NotAllowed, Malformed, SourceDown.
    """
    ways, notes = ([Way(None, None if whom == EVERYBODY else whom)], []) if whom else ways_in(document)
    told = Candidates(notes=notes)
    if document.collection is None:
        return told
    target = replace(targets.find(workflow), document=document, collection=document.collection)
    for way in ways:
        for page in _pages(actor, target, way):
            told.looked += len(page)
            given = _fitting(actor, document, way, page)
            _let_in(target, given, told)
            if len(told.found) >= most or told.looked >= MOST_LOOKED or not going_on():
                told.more = True
                break
    for key in list(told.found)[most:]:
        del told.found[key]
    return told


def _pages(actor: Actor, target: targets.Target, way: Way) -> Iterator[list[str]]:
    question = Question(segment=way.segment, sort=way.sort, whole=way.segment is None)
    for part, _ in whom_to_enrol.chunks(actor, target, question, actor.id, {}):
        yield [each.record for each in part if each.record is not None and not each.wrong]


def read(actor: Actor, collection: str, keys: Sequence[str]) -> dict[str, Record]:
    """Key → the record, with all fields that the actor may read. Raises SourceDown."""
    return dict(records.named(collection, keys, scope_for(actor, collection, "read"), None))


def _fitting(actor: Actor, document: Workflow, way: Way, keys: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Key → what the trigger gives the start, of those whom its filter takes."""
    if not keys or (way.filter is None and not way.input and way.event is None):
        return {key: {} for key in keys}
    collection = records.collection(str(document.collection))
    by_tag = way.event is not None and str(way.event["on"]) in ("tag.added", "tag.removed")
    named = tags.names_of(collection, keys) if by_tag else {}
    variables = policy.rules(document, log.now()).roots
    wanted = expressions.parse(way.filter) if way.filter is not None else None
    found: dict[str, Mapping[str, Any]] = {}
    for key, record in read(actor, collection.id, keys).items():
        events = [{**(way.event or {}), "tag": TagName(name)} for name in named.get(key, ())] if by_tag else [way.event]
        for event in events:
            roots = {"record": collection.typed(record.values), "former": None, "event": event, "now": log.now(), **variables}
            if wanted is None or _holds(wanted, roots):
                found[key] = _given(way, roots)
                break
    return found


def _holds(wanted: expressions.Expression, roots: Mapping[str, Any]) -> bool:
    try:
        return wanted.test(roots)
    except SourceDown:
        raise
    except (ConsoleError, ValueError, TypeError):  # the trigger lets nobody in then, either
        return False


def _given(way: Way, roots: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {name: expressions.parse(text).evaluate(roots) for name, text in way.input.items()}
    except (ConsoleError, ValueError, TypeError):
        return {}


def _let_in(target: targets.Target, given: Mapping[str, Mapping[str, Any]], told: Candidates) -> None:
    """Add those who are not in it, and whom no exit would take out at once."""
    answers = admission.judge(target, [Candidate(number, key) for number, key in enumerate(given)])
    free = [each.record for each in answers if each.status == ENROLLED and each.record is not None]
    told.inside += len(given) - len(free)
    staying = exits.staying(target, free)
    told.leaving += len(free) - len(staying)
    for key in staying:
        told.found.setdefault(key, given[key])
