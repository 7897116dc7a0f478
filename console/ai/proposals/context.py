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

from console import records, steps
from console.ai.proposals import field_disclosure, loop_item, supporting
from console.ai.proposals.document_sources import NotRead, documents_of
from console.ai.proposals.prompt_pieces import Piece, cut, filled, open_of, texts
from console.ai.safety import injection_scan
from console.auth import access
from console.core.currencies import decimals
from console.core.documents.collections import Collection, treatment
from console.core.documents.workflow import Step, Workflow
from console.core.origins import ANY
from console.core.proposal_types import Ask, FieldSpec, Source
from console.core.run import MISSING_MANUAL, Attempt
from console.log import masking
from console.runs.engine.proposal_inputs import CaseContext, ProposalContext
from console.runs.engine.stepping import OpenStep, context_of
from console.runs.views.reader_reach import kept_from
from console.steps.base import Rows, StepType, StepView
from console.steps.items import LIST
from console.workflows import Definition

MOST_ROWS = 10
MOST_SOURCES = 60
SHORTEST_ORDER = 12
"""Characters below which no text is an instruction."""
CURRENCY = re.compile("[A-Z]{3}")
NO_DATA = "handled manually, no data"


@dataclass(frozen=True, slots=True)
class Built:
    """The ask, with the titles of its sources by id. `unread`: there was no time to read some documents. `document`: the workflow."""

    ask: Ask
    titles: Mapping[str, str] = field(default_factory=dict)
    unread: bool = False
    document: Workflow | None = None

    @property
    def sources(self) -> Mapping[str, Source]:
        """The sources by their ids."""
        return {source.id: source for source in self.ask.sources}


def build(ask_context: ProposalContext, policy: tuple[str, str] = ("", "")) -> Built:
    """Everything that the provider or the rules get for this call."""
    pages, unread = _documents(ask_context)
    sources, titles = numbered(
        [*_pieces(ask_context), *pages], injection_scan.field_names(ask_context.fields)
    )
    ask = Ask(
        purpose=ask_context.purpose,
        step=ask_context.step.id,
        title=ask_context.step.title,
        type=ask_context.step.type,
        instruction=ask_context.instruction,
        fields=tuple(_spec(each, ask_context) for each in ask_context.fields),
        outcomes=ask_context.outcomes,
        sources=sources,
        threshold=ask_context.ai.threshold,
        policy=policy,
        locale=ask_context.person.locale,
        review=ask_context.review,
        item=loop_item.item_for_prompt(ask_context),
        supported=supporting.supported(ask_context, _foreign(ask_context), _outside(ask_context)),
    )
    return Built(ask, titles, unread, ask_context.definition.document)


def numbered(
    pieces: Sequence[Piece], names: tuple[str, ...] = ()
) -> tuple[tuple[Source, ...], dict[str, str]]:
    """The pieces as sources s1, s2 …, as far as there is room for them, and their titles by id. `names` are those of the fields that are asked for."""
    kept = cut([part for piece in pieces for part in _doubted(piece, names)][:MOST_SOURCES])
    sources = tuple(piece.source(f"s{number}") for number, piece in enumerate(kept, 1))
    return sources, {source.id: piece.shown for source, piece in zip(sources, kept, strict=True)}


def of_case(case: CaseContext) -> tuple[list[Piece], bool]:
    """(what the run knows: its record, the results of its steps, the pages of its documents; whether there was no time to read some)."""
    pages, unread = _documents(case, wanted=True)
    return [*_record(case), *_steps(case), *pages], unread


def _documents(ask_context: CaseContext, *, wanted: bool = False) -> tuple[list[Piece], bool]:
    """(the pages of the run's documents, if they are `wanted` or the step wants them; whether there was no time to read them)."""
    if not wanted and "documents" not in ask_context.ai.sources:
        return [], False
    try:
        return list(documents_of(ask_context)), False
    except NotRead:
        return [], True


def _doubted(piece: Piece, names: tuple[str, ...]) -> Iterator[Piece]:
    """The piece, split: text that reads like instructions becomes a piece of its own that counts as untrusted, whoever wrote it."""
    if not piece.trusted:
        yield piece
        return
    orders = names if piece.step is None else ()  # colleagues do write that a field is to be set to something
    doubtful = {name for name, value in piece.data.items() if _reads_like_orders(value, orders)}
    sure = {name: value for name, value in piece.data.items() if name not in doubtful}
    if sure:
        yield replace(piece, data=sure)
    if doubtful:
        yield replace(
            piece, data={name: value for name, value in piece.data.items() if name in doubtful}, trusted=False
        )


def _reads_like_orders(value: Any, names: tuple[str, ...]) -> bool:
    return any(
        len(text) >= SHORTEST_ORDER and injection_scan.first_sign(text, names) is not None
        for text in texts(value)
    )


def _spec(spec: FieldSpec, ask_context: ProposalContext) -> FieldSpec:
    """The field with only the values that may be sent. Names of records to choose from are sent with the records."""
    collection = ask_context.columns.get(spec.name)
    treatment = (
        field_disclosure.of_field(records.collection(collection), spec.name)
        if collection
        else field_disclosure.of_typed(spec.name, spec.type)
    )
    if not spec.opaque:
        return replace(spec, treatment=treatment)
    options = tuple((value, f"{_PICK} {number}") for number, (value, _) in enumerate(spec.options, 1))
    return replace(spec, treatment=treatment, options=options)


_PICK = "Candidate"


def _pieces(ask_context: ProposalContext) -> Iterator[Piece]:
    wanted = frozenset(ask_context.ai.sources)
    yield from _present_item(ask_context)
    if "record" in wanted:
        yield from _record(ask_context)
    if "steps" in wanted:
        yield from _steps(ask_context)
    if "related" in wanted:
        yield from _related(ask_context)


def _present_item(ask_context: ProposalContext) -> Iterator[Piece]:
    """The item that the form is about. It is always given, because without it no proposal is possible."""
    at_hand = ask_context.at_hand
    if at_hand is None:
        return
    if at_hand.collection is None:
        yield from loop_item.entry(at_hand, ask_context, _withheld_fields(ask_context), _foreign(ask_context))
        return
    collection = records.collection(at_hand.collection)
    yield from parted(
        loop_item.item_source(at_hand, ask_context, collection.label_one),
        collection,
        loop_item.values_of(at_hand, ask_context, collection),
    )


def _record(ask_context: CaseContext) -> Iterator[Piece]:
    """The record that the run is about."""
    if ask_context.record is None:
        return
    collection = records.collection(ask_context.record.collection)
    scope = access.scope_for(ask_context.person, collection.id, "read")
    names = {each.name for each in collection.readable(scope)}
    values = {name: value for name, value in ask_context.record.values.items() if name in names}
    about = Piece(
        "record",
        collection.label_one,
        ask_context.record.title,
        {},
        collection=collection.id,
        record=ask_context.record.key,
        read_at=ask_context.asked_at,
    )
    yield from parted(about, collection, values)


def parted(about: Piece, collection: Collection, values: Mapping[str, Any]) -> Iterator[Piece]:
    """The values as one piece that our staff or our code wrote, and one that others wrote."""
    kept = {
        name: _as_read(collection, name, value, values)
        for name, value in filled(values).items()
        if collection.field(name) is not None
    }
    labels = {
        name: of_collection.label for name in kept if (of_collection := collection.field(name)) is not None
    }
    treatments = {name: field_disclosure.of_field(collection, name) for name in kept}
    for trusted in (True, False):
        data = {
            name: value
            for name, value in kept.items()
            if field_disclosure.is_written_by_us(collection, name) is trusted
        }
        if data:
            yield replace(about, data=data, trusted=trusted, labels=labels, treatments=treatments)


def _as_read(collection: Collection, name: str, value: Any, values: Mapping[str, Any]) -> Any:
    """The value as people read it: an amount stored in cents (4900) becomes 49.00, so that it is not confused with a written “4,900”."""
    about = collection.field(name)
    if about is None or not about.minor or not isinstance(value, int):
        return value
    code = str(values.get(about.currency or "") or about.currency or "")
    places = decimals(code) if CURRENCY.fullmatch(code) else 2
    return value if places is None else f"{Decimal(value).scaleb(-places):f}"


def _steps(ask_context: CaseContext) -> Iterator[Piece]:
    """The results of completed steps, newest last; of a repeated step the valid attempt."""
    standing = {
        attempt.step: attempt for _, attempt in sorted(ask_context.run.attempts.items()) if attempt.standing
    }
    closed = _withheld_fields(ask_context)
    for attempt in sorted(standing.values(), key=lambda each: each.n):
        yield from _step(ask_context, attempt, closed)


def _step(ask_context: CaseContext, attempt: Attempt, closed: frozenset[str]) -> Iterator[Piece]:
    written = ask_context.definition.document.step(attempt.step)
    kind, view = viewed(ask_context.definition, attempt.step)
    about = Piece(
        "input" if written.type == "start" else "llm" if written.type == "llm" else "step",
        written.title,
        written.title,
        {},
        trusted=_is_step_ours(written, attempt),
        step=attempt.step,
        read_at=attempt.completed_at,
    )
    output = loop_item.narrowed(ask_context, attempt.step, ask_context.run.context.get(attempt.step) or {})
    if output.pop("missing", None) == MISSING_MANUAL and not filled(output):
        yield replace(about, data={"note": NO_DATA}, trusted=True)
        return
    lists = {
        read.name: collection
        for read in kind.reads(view)
        if (collection := _collection_of(ask_context, read.relation, read.collection))
    }
    rows = _rows_again(ask_context, attempt, kind, view, lists, output)
    own = output.pop("record", None) if written.type in ("get_data", "load_related") else None
    loaded_from = str(output.pop("collection", "")) if written.type == "load_related" else ""
    left = {
        name: value
        for name, value in output.items()
        if name not in lists and not (loaded_from and name in ("key", "title"))
    }
    left |= own if isinstance(own, Mapping) and not loaded_from and ask_context.record is None else {}
    yield from _typed(ask_context, about, view, left, _titled(output.get("collection"), closed))
    if loaded_from and isinstance(own, Mapping):
        yield from _loaded(ask_context, about, loaded_from, own, dict(ask_context.run.context[attempt.step]))
    for name, entries in rows.items():
        if ask_context.at_hand is None or lists[name] != ask_context.at_hand.collection:
            yield from _of_rows(replace(about, kind="related"), records.collection(lists[name]), entries)


def _loaded(
    ask_context: CaseContext,
    about: Piece,
    collection_id: str,
    values: Mapping[str, Any],
    output: Mapping[str, Any],
) -> Iterator[Piece]:
    """The record that a step loaded, as far as this person may see it."""
    collection, scope = (
        records.collection(collection_id),
        access.scope_for(ask_context.person, collection_id, "read"),
    )
    key = output.get("key")
    if not isinstance(key, str) or (
        not scope.unlimited and key not in records.visible_keys(collection_id, [key], scope)
    ):
        return
    seen = {
        name: value for name, value in values.items() if collection.visible(name, scope.hidden) is not None
    }
    named = replace(
        about,
        kind="related",
        name=collection.label_one,
        shown=str(output.get("title") or collection.label_one),
    )
    yield from parted(replace(named, collection=collection.id, record=key, trusted=True), collection, seen)


def _is_step_ours(step: Step, attempt: Attempt) -> bool:
    """Whether our staff or our code wrote the step's result. The input of a run that no person started came from outside."""
    foreign = steps.get(step.type).is_foreign(step.config)
    return not foreign and not (step.type == "start" and attempt.by is None)


def _collection_of(ask_context: CaseContext, relation: str | None, collection: str | None) -> str | None:
    """The collection that a step reads, other than the run's own record."""
    if collection is not None or relation is None or ask_context.run.collection is None:
        return collection
    relation_found = records.collection(ask_context.run.collection).relation(relation)
    return relation_found.collection if relation_found is not None else None


def _typed(
    ask_context: CaseContext,
    about: Piece,
    view: StepView,
    output: Mapping[str, Any],
    closed: frozenset[str],
) -> Iterator[Piece]:
    """Typed and computed values, without fields of records that this person may not see."""
    hidden = kept_from(
        ask_context.person, ask_context.run.workflow, ask_context.run.version, view.id, run=ask_context.run.id
    )
    visible, _ = masking.mask(dict(output), "", hidden, ask_context.run.collection)
    data = filled({name: open_of(value, closed) for name, value in visible.items()})
    if not data:
        return
    own = records.collection(ask_context.run.collection) if ask_context.run.collection else None
    forms = field_disclosure.typed_fields(view.config)
    computed = field_disclosure.of_outputs(ask_context.run, view.id)
    treatments = {
        name: treatment.least(
            (
                field_disclosure.of_field(own, name)
                if own is not None and name not in forms and own.field(name) is not None
                else field_disclosure.of_typed(name, forms.get(name, "text")),
                *(computed.get(each, "full") for each in (name, ANY)),
            )
        )
        for name in data
    }
    yield replace(about, data=data, treatments=treatments)


def _withheld_fields(ask_context: CaseContext) -> frozenset[str]:
    """Names of fields that stand in no value of a value: those that this person may not see, that a model gets less of than all, or that others write.

    What a step worked out may hold parts of records wherever it likes; as a source of its own a record is told field by field.
    """
    names = set[str]()
    for collection in collections_of(ask_context):
        names |= access.scope_for(ask_context.person, collection.id, "read").hidden
        names |= {
            each.name
            for each in collection.fields
            if field_disclosure.of_field(collection, each.name) != "full"
            or not field_disclosure.is_written_by_us(collection, each.name)
        }
    return frozenset(names)


def _foreign(ask_context: CaseContext) -> frozenset[str]:
    """Names of fields, of all collections that the run reads, that are written by others."""
    return frozenset(
        each.name
        for collection in collections_of(ask_context)
        for each in collection.fields
        if not field_disclosure.is_written_by_us(collection, each.name)
    )


def _outside(ask_context: CaseContext) -> frozenset[str]:
    """The ids of steps whose output was written by others."""
    outside_steps = {
        step.id
        for step in ask_context.definition.document.steps
        if steps.get(step.type).is_foreign(step.config)
    }
    return frozenset(
        outside_steps
        | {
            each.step
            for each in ask_context.run.attempts.values()
            if each.standing and not _is_step_ours(ask_context.definition.document.step(each.step), each)
        }
    )


def collections_of(ask_context: CaseContext) -> list[Collection]:
    """The collection of the run's record, and those that its steps read or loaded."""
    read = {
        _collection_of(ask_context, relation, collection)
        for relation, collection in _read_by(ask_context.definition)
    }
    loaded = {
        output.get("collection") for output in ask_context.run.context.values() if isinstance(output, Mapping)
    }
    by_id = {each.id: each for each in records.collections()}
    return [
        by_id[name]
        for name in {ask_context.run.collection, *read, *loaded}
        if isinstance(name, str) and name in by_id
    ]


def _titled(collection: object, closed: frozenset[str]) -> frozenset[str]:
    """The fields `closed`, and `title` if the titles of this collection are made from one of them."""
    of_collection = next((each for each in records.collections() if each.id == collection), None)
    return (
        closed
        if of_collection is not None and not closed & set(of_collection.title_fields)
        else closed | {"title"}
    )


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
    ask_context: CaseContext,
    attempt: Attempt,
    kind: StepType,
    view: StepView,
    lists: Mapping[str, str],
    output: Mapping[str, Any],
) -> dict[str, Sequence[Mapping[str, Any]]]:
    """The rows that a step read, limited to what this person may see. They are read again if the person may not see all of them."""
    rows_by_name: dict[str, Sequence[Mapping[str, Any]]] = {}
    again: Mapping[str, Rows] | None = None
    for name, collection in lists.items():
        if name not in output or not access.can(
            ask_context.person, ask_context.run.team, f"collection:{collection}", "read"
        ):
            continue
        scope = access.scope_for(ask_context.person, collection, "read")
        if scope.unlimited:
            entries = output[name] if isinstance(output[name], list) else [output[name]]
            rows_by_name[name] = [
                {name: value for name, value in entry.items() if name not in scope.hidden}
                for entry in entries
                if isinstance(entry, Mapping)
            ]
        else:
            again = (
                again
                if again is not None
                else context_of(
                    ask_context.person,
                    OpenStep(ask_context.definition, ask_context.run, attempt, kind, view),
                    ask_context.record,
                    ask_context.asked_at,
                ).reads
            )
            rows_by_name[name] = [row["values"] for row in again[name].rows] if name in again else []
    return rows_by_name


def _of_rows(about: Piece, collection: Collection, rows: Sequence[Mapping[str, Any]]) -> Iterator[Piece]:
    for number, values in enumerate(rows[:MOST_ROWS], 1):
        name = f"{collection.label_one} {number}"
        yield from parted(
            replace(about, name=name, shown=f"{about.shown}: {name}", collection=collection.id, trusted=True),
            collection,
            values,
        )


def _related(ask_context: ProposalContext) -> Iterator[Piece]:
    """The records that this step shows beside its form."""
    for name, rows in ask_context.context.reads.items():
        if not rows.collection or (rows.collection == ask_context.run.collection and name == "record"):
            continue
        if ask_context.at_hand is not None and (
            name == LIST or rows.collection == ask_context.at_hand.collection
        ):
            continue  # the other items of the list
        collection = records.collection(rows.collection)
        picks = ask_context.prompt.picks == name
        for number, row in enumerate(rows.rows[: MOST_ROWS if not picks else len(rows.rows)], 1):
            called = f"{_PICK} {number}" if picks else f"{collection.label_one} {number}"
            about = Piece(
                "related",
                called,
                f"{collection.label_one} {row['title']}",
                {},
                collection=collection.id,
                record=row["key"],
                read_at=ask_context.asked_at,
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
