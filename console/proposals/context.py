"""The context of a proposal: the run's record, results of steps and side records, limited to what its person may see.

Everything was read, or is read here, with that person's rights of today. Each source says where it comes from; text that others wrote stands apart from
what our staff or our code wrote, and names no person by its title.
"""

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision

from console import access, records, steps
from console.ai import injection_scan
from console.ai.types import Ask, FieldSpec, Kind, Source
from console.core.documents.collections import Collection
from console.core.documents.workflow import Workflow
from console.core.run import MISSING_MANUAL, Attempt
from console.log import masking
from console.proposals import allowed, item, supporting
from console.proposals.document_sources import NotRead, documents_of
from console.proposals.pieces import Piece, cut, filled, open_of, texts
from console.runs.engine.preparing import ProposalContext
from console.runs.engine.stepping import OpenStep, context_of
from console.runs.showing.reader_reach import kept_from
from console.steps.base import Rows, StepType, StepView
from console.steps.items import LIST
from console.workflows import Definition

MOST_ROWS = 10
MOST_SOURCES = 60
SHORTEST_ORDER = 12
"""Characters below which no text is an instruction."""
CURRENCY = re.compile("[A-Z]{3}")
NO_DATA = "handled manually, no data"
FROM_OUTSIDE = frozenset({"llm", "mcp_task", "request_documents", "sms", "email", "ai_call"})
"""Steps whose output others wrote: a model, another system, whoever answered."""


@dataclass(frozen=True, slots=True)
class Built:
    """The ask, and how people know its sources: id → title. `unread`: there are documents which there was no time to read. `document`: of the workflow."""

    ask: Ask
    titles: Mapping[str, str] = field(default_factory=dict)
    unread: bool = False
    document: Workflow | None = None

    @property
    def sources(self) -> Mapping[str, Source]:
        """The sources by their ids."""
        return {source.id: source for source in self.ask.sources}


def build(known: ProposalContext, policy: tuple[str, str] = ("", "")) -> Built:
    """Everything that whoever proposes gets for this call."""
    names = tuple(
        sorted({word.casefold() for each in known.fields for word in (each.name, each.label) if len(word) >= injection_scan.LEAST_NAME})
    )
    found = list(_pieces(known))
    pages, unread = _documents(known)
    pieces = cut([part for piece in [*found, *pages] for part in _doubted(piece, names)][:MOST_SOURCES])
    sources = tuple(piece.source(f"s{number}") for number, piece in enumerate(pieces, 1))
    ask = Ask(
        purpose=known.purpose,
        step=known.step.id,
        title=known.step.title,
        type=known.step.type,
        instruction=known.instruction,
        fields=tuple(_spec(each, known) for each in known.fields),
        outcomes=known.outcomes,
        sources=sources,
        threshold=known.ai.threshold,
        policy=policy,
        locale=known.person.locale,
        review=known.review,
        item=item.item_for_prompt(known),
        supported=supporting.supported(known, _foreign(known), _outside(known)),
    )
    return Built(ask, {source.id: piece.shown for source, piece in zip(sources, pieces, strict=True)}, unread, known.definition.document)


def _documents(known: ProposalContext) -> tuple[list[Piece], bool]:
    """(the pages beside the run where the step wants them, whether there was no time to read them)."""
    if "documents" not in known.ai.sources:
        return [], False
    try:
        return list(documents_of(known)), False
    except NotRead:
        return [], True


def _doubted(piece: Piece, names: tuple[str, ...]) -> Iterator[Piece]:
    """The piece; what of it reads like instructions stands apart, and nobody vouches for it, whoever wrote it."""
    if not piece.trusted:
        yield piece
        return
    orders = names if piece.step is None else ()  # colleagues do write that a field is to be set to something
    doubtful = {name for name, value in piece.data.items() if _reads_like_orders(value, orders)}
    sure = {name: value for name, value in piece.data.items() if name not in doubtful}
    if sure:
        yield replace(piece, data=sure)
    if doubtful:
        yield replace(piece, data={name: value for name, value in piece.data.items() if name in doubtful}, trusted=False)


def _reads_like_orders(value: Any, names: tuple[str, ...]) -> bool:
    return any(len(text) >= SHORTEST_ORDER and injection_scan.first_sign(text, names) is not None for text in texts(value))


def _spec(spec: FieldSpec, known: ProposalContext) -> FieldSpec:
    """The field with what of its value may be sent; names of records to choose from are sent with the records, as far as they may be."""
    collection = known.columns.get(spec.name)
    treatment = allowed.of_field(records.collection(collection), spec.name) if collection else allowed.of_typed(spec.name, spec.type)
    if not spec.opaque:
        return replace(spec, treatment=treatment)
    options = tuple((value, f"{_PICK} {number}") for number, (value, _) in enumerate(spec.options, 1))
    return replace(spec, treatment=treatment, options=options)


_PICK = "Candidate"


def _pieces(known: ProposalContext) -> Iterator[Piece]:
    wanted = frozenset(known.ai.sources)
    yield from _at_hand(known)
    if "record" in wanted:
        yield from _record(known)
    if "steps" in wanted:
        yield from _steps(known)
    if "related" in wanted:
        yield from _related(known)


def _at_hand(known: ProposalContext) -> Iterator[Piece]:
    """The item that the form is about: whatever else the author lets be given, without it nothing can be said."""
    at_hand = known.at_hand
    if at_hand is None:
        return
    if at_hand.collection is None:
        yield from item.entry(at_hand, known, _closed(known), _foreign(known))
        return
    collection = records.collection(at_hand.collection)
    yield from parted(item.about(at_hand, known, collection.label_one), collection, item.values_of(at_hand, known, collection))


def _record(known: ProposalContext) -> Iterator[Piece]:
    """The record that the run is about."""
    if known.record is None:
        return
    collection = records.collection(known.record.collection)
    scope = access.scope_for(known.person, collection.id, "read")
    names = {each.name for each in collection.readable(scope)}
    values = {name: value for name, value in known.record.values.items() if name in names}
    about = Piece(
        "record", collection.label_one, known.record.title, {}, collection=collection.id, record=known.record.key, read_at=known.asked_at
    )
    yield from parted(about, collection, values)


def parted(about: Piece, collection: Collection, values: Mapping[str, Any]) -> Iterator[Piece]:
    """The values as one piece that our staff or our code wrote, and one that others wrote."""
    kept = {name: _as_read(collection, name, value, values) for name, value in filled(values).items() if collection.field(name) is not None}
    labels = {name: found.label for name in kept if (found := collection.field(name)) is not None}
    treatments = {name: allowed.of_field(collection, name) for name in kept}
    for trusted in (True, False):
        data = {name: value for name, value in kept.items() if allowed.is_written_by_us(collection, name) is trusted}
        if data:
            yield replace(about, data=data, trusted=trusted, labels=labels, treatments=treatments)


def _as_read(collection: Collection, name: str, value: Any, values: Mapping[str, Any]) -> Any:
    """The value as people read it: an amount that is kept in cents (4900) as an amount (49.00), so that nobody's “4,900” is found in it."""
    about = collection.field(name)
    if about is None or not about.minor or not isinstance(value, int):
        return value
    code = str(values.get(about.currency or "") or about.currency or "")
    places = get_currency_precision(code) if CURRENCY.fullmatch(code) else 2
    return f"{Decimal(value).scaleb(-places):f}"


def _steps(known: ProposalContext) -> Iterator[Piece]:
    """The results of completed steps, newest last; of a repeated step the valid attempt."""
    standing = {attempt.step: attempt for _, attempt in sorted(known.run.attempts.items()) if attempt.standing}
    closed = _closed(known)
    for attempt in sorted(standing.values(), key=lambda each: each.n):
        yield from _step(known, attempt, closed)


def _step(known: ProposalContext, attempt: Attempt, closed: frozenset[str]) -> Iterator[Piece]:
    written = known.definition.document.step(attempt.step)
    kind, view = viewed(known.definition, attempt.step)
    about = Piece(
        _kind_of(written.type),
        written.title,
        written.title,
        {},
        trusted=_is_step_ours(written.type, attempt),
        step=attempt.step,
        read_at=attempt.completed_at,
    )
    output = item.narrowed(known, attempt.step, known.run.context.get(attempt.step) or {})
    if output.pop("missing", None) == MISSING_MANUAL and not filled(output):
        yield replace(about, data={"note": NO_DATA}, trusted=True)
        return
    lists = {read.name: collection for read in kind.reads(view) if (collection := _collection_of(known, read.relation, read.collection))}
    rows = _rows_again(known, attempt, kind, view, lists, output)
    own = output.pop("record", None) if written.type in ("get_data", "load_related") else None
    found = str(output.pop("collection", "")) if written.type == "load_related" else ""
    left = {name: value for name, value in output.items() if name not in lists and not (found and name in ("key", "title"))}
    left |= own if isinstance(own, Mapping) and not found and known.record is None else {}
    yield from _typed(known, about, view, left, _titled(output.get("collection"), closed))
    if found and isinstance(own, Mapping):
        yield from _loaded(known, about, found, own, dict(known.run.context[attempt.step]))
    for name, entries in rows.items():
        if known.at_hand is None or lists[name] != known.at_hand.collection:
            yield from _of_rows(replace(about, kind="related"), records.collection(lists[name]), entries)


def _loaded(
    known: ProposalContext, about: Piece, collection_id: str, values: Mapping[str, Any], output: Mapping[str, Any]
) -> Iterator[Piece]:
    """The record that a step loaded, as far as this person may see it."""
    collection, scope = records.collection(collection_id), access.scope_for(known.person, collection_id, "read")
    key = output.get("key")
    if not isinstance(key, str) or (not scope.unlimited and key not in records.visible_keys(collection_id, [key], scope)):
        return
    seen = {name: value for name, value in values.items() if collection.visible(name, scope.hidden) is not None}
    named = replace(about, kind="related", name=collection.label_one, shown=str(output.get("title") or collection.label_one))
    yield from parted(replace(named, collection=collection.id, record=key, trusted=True), collection, seen)


def _kind_of(step_type: str) -> Kind:
    return "input" if step_type == "start" else "llm" if step_type == "llm" else "mcp" if step_type == "mcp_task" else "step"


def _is_step_ours(step_type: str, attempt: Attempt) -> bool:
    """Whether our staff or our code wrote what the step came to. What began a run that no person started came from outside."""
    return step_type not in FROM_OUTSIDE and not (step_type == "start" and attempt.by is None)


def _collection_of(known: ProposalContext, relation: str | None, collection: str | None) -> str | None:
    """The collection that a step reads, other than the run's own record."""
    if collection is not None or relation is None or known.run.collection is None:
        return collection
    found = records.collection(known.run.collection).relation(relation)
    return found.collection if found is not None else None


def _typed(known: ProposalContext, about: Piece, view: StepView, output: Mapping[str, Any], closed: frozenset[str]) -> Iterator[Piece]:
    """Typed and computed values, without fields of records that this person may not see."""
    hidden = kept_from(known.person, known.run.workflow, known.run.version, view.id, run=known.run.id)
    visible, _ = masking.mask(dict(output), "", hidden, known.run.collection)
    data = filled({name: open_of(value, closed) for name, value in visible.items()})
    if not data:
        return
    own = records.collection(known.run.collection) if known.run.collection else None
    forms = allowed.typed_fields(view.config)
    treatments = {
        name: allowed.of_field(own, name)
        if own is not None and name not in forms and own.field(name) is not None
        else allowed.of_typed(name, forms.get(name, "text"))
        for name in data
    }
    yield replace(about, data=data, treatments=treatments)


def _closed(known: ProposalContext) -> frozenset[str]:
    """Names of fields that stand in no value of a value: those that this person may not see, that a model gets less of than all, or that others write.

    What a step worked out may hold parts of records wherever it likes; as a source of its own a record is told field by field.
    """
    names = set[str]()
    for collection in collections_of(known):
        names |= access.scope_for(known.person, collection.id, "read").hidden
        names |= {
            each.name
            for each in collection.fields
            if allowed.of_field(collection, each.name) != "full" or not allowed.is_written_by_us(collection, each.name)
        }
    return frozenset(names)


def _foreign(known: ProposalContext) -> frozenset[str]:
    """Names of the fields of every collection that the run knows which others write."""
    return frozenset(
        each.name
        for collection in collections_of(known)
        for each in collection.fields
        if not allowed.is_written_by_us(collection, each.name)
    )


def _outside(known: ProposalContext) -> frozenset[str]:
    """The steps whose output others wrote."""
    made = {step.id for step in known.definition.document.steps if step.type in FROM_OUTSIDE}
    return frozenset(
        made | {each.step for each in known.run.attempts.values() if each.standing and not _is_step_ours(_type(known, each.step), each)}
    )


def _type(known: ProposalContext, step_id: str) -> str:
    return known.definition.document.step(step_id).type


def collections_of(known: ProposalContext) -> list[Collection]:
    """The collection of the run's record, and those that its steps read or loaded."""
    read = {_collection_of(known, relation, collection) for relation, collection in _read_by(known.definition)}
    loaded = {output.get("collection") for output in known.run.context.values() if isinstance(output, Mapping)}
    found = {each.id: each for each in records.collections()}
    return [found[name] for name in {known.run.collection, *read, *loaded} if isinstance(name, str) and name in found]


def _titled(collection: object, closed: frozenset[str]) -> frozenset[str]:
    """The same with `title` among them, unless the titles of this collection hold none of them."""
    found = next((each for each in records.collections() if each.id == collection), None)
    return closed if found is not None and not closed & set(found.title_fields) else closed | {"title"}


@functools.lru_cache(maxsize=256)
def viewed(definition: Definition, step_id: str) -> tuple[StepType, StepView]:
    """The type and the settings of a step."""
    step = definition.document.step(step_id)
    return steps.get(step.type), steps.view(step)


@functools.lru_cache(maxsize=64)
def _read_by(definition: Definition) -> frozenset[tuple[str | None, str | None]]:
    """(relation, collection) of everything that the steps of this version read."""
    views = [viewed(definition, step.id) for step in definition.document.steps]
    return frozenset((read.relation, read.collection) for kind, view in views for read in kind.reads(view))


def _rows_again(
    known: ProposalContext, attempt: Attempt, kind: StepType, view: StepView, lists: Mapping[str, str], output: Mapping[str, Any]
) -> dict[str, Sequence[Mapping[str, Any]]]:
    """Rows that a step read, as this person may see them: read anew where they may not see all, for somebody else may have read them."""
    found: dict[str, Sequence[Mapping[str, Any]]] = {}
    again: Mapping[str, Rows] | None = None
    for name, collection in lists.items():
        if name not in output or not access.can(known.person, known.run.team, f"collection:{collection}", "read"):
            continue
        scope = access.scope_for(known.person, collection, "read")
        if scope.unlimited:
            entries = output[name] if isinstance(output[name], list) else [output[name]]
            found[name] = [
                {name: value for name, value in entry.items() if name not in scope.hidden}
                for entry in entries
                if isinstance(entry, Mapping)
            ]
        else:
            again = (
                again
                if again is not None
                else context_of(
                    known.person, OpenStep(known.definition, known.run, attempt, kind, view), known.record, known.asked_at
                ).reads
            )
            found[name] = [row["values"] for row in again[name].rows] if name in again else []
    return found


def _of_rows(about: Piece, collection: Collection, rows: Sequence[Mapping[str, Any]]) -> Iterator[Piece]:
    for number, values in enumerate(rows[:MOST_ROWS], 1):
        name = f"{collection.label_one} {number}"
        yield from parted(
            replace(about, name=name, shown=f"{about.shown}: {name}", collection=collection.id, trusted=True), collection, values
        )


def _related(known: ProposalContext) -> Iterator[Piece]:
    """Records that stand before the person at this step."""
    for name, rows in known.context.reads.items():
        if not rows.collection or (rows.collection == known.run.collection and name == "record"):
            continue
        if known.at_hand is not None and (name == LIST or rows.collection == known.at_hand.collection):
            continue  # the other items of the list
        collection = records.collection(rows.collection)
        picks = known.prompt.picks == name
        for number, row in enumerate(rows.rows[: MOST_ROWS if not picks else len(rows.rows)], 1):
            called = f"{_PICK} {number}" if picks else f"{collection.label_one} {number}"
            about = Piece(
                "related",
                called,
                f"{collection.label_one} {row['title']}",
                {},
                collection=collection.id,
                record=row["key"],
                read_at=known.asked_at,
            )
            yield from parted(about, collection, row["values"])
        if rows.totals:
            yield Piece(
                "related",
                f"{rows.label or collection.label}, all together",
                f"{rows.label or collection.label}, all together",
                filled(rows.totals),
                trusted=True,
            )
