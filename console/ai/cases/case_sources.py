"""What a question about a case may be answered from: of a run its record, the results of its steps, its documents and what happened; of a record its values and the records around it.

All of it as the person who asks may see it. What they would have to uncover with a reason is not in it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from console import browse, records, runs
from console.ai.proposals import context, withheld
from console.ai.proposals.prompt_pieces import Piece, last, open_of
from console.auth import access
from console.core.actor import Actor
from console.core.documents.workflow import Workflow
from console.core.errors import ConsoleError, NotFound
from console.core.proposal_types import Source
from console.formats import times
from console.infra import subjects

MOST_EVENTS = 60
MOST_RELATED = 10
HAPPENED = "Activity"
EVENT = "event_"
"""Names of events in the data of a source begin so; the number of the event follows."""
NOT_TOLD = frozenset({"step_shown", "source_opened", "checks_shown", "step_entered"})


@dataclass(frozen=True, slots=True)
class CaseSources:
    """The sources of a case as pieces. `subject` is whose key the question is sealed under; `unread`: there was no time for some documents."""

    pieces: Sequence[Piece]
    subject: str
    withheld: Callable[[], list[Source]]
    unread: bool = False
    team: str | None = None
    label: str | None = None
    workflow: str | None = None
    slug: str | None = None
    collection: str | None = None
    record: str | None = None
    document: Workflow | None = None


def of_run(actor: Actor, run_id: str, asked_at: datetime, deadline_at: datetime) -> CaseSources:
    """The sources of a run. Raises NotFound for one that the actor may not see, SourceDown."""
    case = runs.case_context(actor, run_id, asked_at, deadline_at)
    pieces, unread = context.of_case(case)
    run = case.run
    return CaseSources(
        list(_uncovered(actor, [*pieces, *_happened(actor, run_id, run.seq)], run.collection)),
        case.subject or subjects.subject_of("run", run.id),
        lambda: withheld.withheld_sources(case),
        unread,
        run.team,
        run.label,
        run.workflow,
        case.definition.slug,
        run.collection,
        run.record,
        case.definition.document,
    )


def of_record(actor: Actor, collection_id: str, key: str, asked_at: datetime) -> CaseSources:
    """The sources of a record. Raises NotFound, SourceDown."""
    page = browse.record(actor, collection_id, key)
    shown = {field.name for field in page.fields}
    own = Piece(
        "record",
        page.collection.label_one,
        page.record.title,
        {},
        collection=collection_id,
        record=key,
        read_at=asked_at,
    )
    values = {name: value for name, value in page.record.values.items() if name in shown}
    pieces = [*context.parted(own, page.collection, values), *_related(actor, collection_id, key, asked_at)]
    return CaseSources(
        list(_uncovered(actor, pieces, collection_id)),
        browse.subject_of(page.collection, key) or subjects.subject_of(collection_id, key),
        lambda: withheld.around([(collection_id, key)]),
        collection=collection_id,
        record=key,
    )


def judge_of(actor: Actor, masked: Collection[str]) -> Callable[[Mapping[str, Any]], bool]:
    """A function that says whether the actor may read today what a kept sentence rests on. `masked`: paths of the run that they may not read."""

    @cache
    def seen(place: str, key: str | None) -> frozenset[str] | None:
        """Names of the fields that are hidden; None where the record is."""
        scope = access.scope_for(actor, place, "read")
        keys = [] if key is None or scope.unlimited else [key]
        if scope.nothing or records.visible_keys(place, keys, scope) != set(keys):
            return None
        return scope.hidden | _masked(actor, place)

    def readable(source: Mapping[str, Any]) -> bool:
        place, step, paper = source["collection"], source["step"], str(source["document"] or "")
        part = f"run.context.{step}." if place else f"run.context.{step}.{source['field']}."
        if any(f"{path}.".startswith(part) or part.startswith(f"{path}.") for path in masked):
            return False
        try:
            hidden = seen(place, source["record"]) if place else frozenset()
        except ConsoleError:
            return False
        return hidden is not None and (paper.split(":")[1] if ":" in paper else source["field"]) not in hidden

    return readable


def _related(actor: Actor, collection_id: str, key: str, asked_at: datetime) -> Iterator[Piece]:
    for found in browse.related_lists(actor, collection_id, key, MOST_RELATED):
        names = {column.name for column in found.columns}
        for number, row in enumerate(found.rows, 1):
            about = Piece(
                "related",
                f"{found.collection.label_one} {number}",
                f"{found.collection.label_one} {row.title}",
                {},
                collection=found.collection.id,
                record=row.key,
                read_at=asked_at,
            )
            values = {name: value for name, value in row.values.items() if name in names}
            yield from context.parted(about, found.collection, values)


def _happened(actor: Actor, run_id: str, newest: int) -> Iterator[Piece]:
    """The run's events in words, the newest of a long run."""
    events, _ = runs.events(actor, run_id, limit=MOST_EVENTS, after=max(0, newest - MOST_EVENTS))
    told = {f"{EVENT}{event['n']}": event for event in events if event["kind"] not in NOT_TOLD}
    if told:
        yield Piece(
            "step",
            HAPPENED,
            HAPPENED,
            {name: str(event["sentence"]) for name, event in told.items()},
            labels={
                name: times.moment_words(event["createdAt"], actor.locale, actor.zone)
                for name, event in told.items()
            },
        )


def _uncovered(actor: Actor, pieces: Sequence[Piece], collection: str | None) -> Iterator[Piece]:
    """The pieces without fields that are dots on the pages of this person until they give a reason."""
    masked: dict[str, frozenset[str]] = {}
    for piece in pieces:
        place = piece.collection or collection or ""
        if place not in masked:
            masked[place] = _masked(actor, place)
        names = masked[place] | masked.get(collection or "", frozenset())
        data = {name: open_of(value, names) for name, value in piece.data.items() if last(name) not in names}
        if data:
            yield replace(piece, data=data)


def _masked(actor: Actor, collection: str) -> frozenset[str]:
    try:
        return (
            frozenset(field.name for field in browse.masked(actor, collection)) if collection else frozenset()
        )
    except NotFound:
        return frozenset()
