"""Values that must not leave the house, whoever asks: of the record read whole, of the records around the same subject, and of everything that was typed.

They are read as the console itself, for whoever may read less would otherwise send more: a note may hold the number that its reader's own screen hides.
Nothing here goes anywhere but into `console.ai.safety.redaction`, which looks for it; no prompt, log, key or table has it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from console import records
from console.ai.proposals import field_disclosure
from console.core.documents.collections import Collection, Relation, treatment
from console.core.errors import NotFound
from console.core.origins import ANY
from console.core.proposal_types import Source, Treatment
from console.core.scopes import unrestricted
from console.runs.engine.proposal_inputs import CaseContext

MOST_READS = 40
"""Statements that one proposal may cost here."""
MOST_ROWS = 100
FARTHEST = 2
"""Relations between the record and another one that is looked at."""
LEAST_TEXT = 5
"""Characters of a relative's hidden value from which it is looked for: shorter ones are words of every text."""
MOST_DEPTH = 8


def withheld_sources(ask_context: CaseContext) -> list[Source]:
    """Everything that is to be looked for in what would be sent. Raises SourceDown: what cannot be read cannot be kept back."""
    starts = []
    if ask_context.run.collection is not None and ask_context.run.record is not None:
        starts.append((ask_context.run.collection, ask_context.run.record))
        if (about := records.subject(ask_context.run.collection, ask_context.run.record)) is not None:
            starts.append(about)
    if ask_context.at_hand is not None and ask_context.at_hand.collection is not None:
        starts.append((ask_context.at_hand.collection, ask_context.at_hand.key))
    return [*around(starts), *_typed(ask_context)]


def around(starts: Iterable[tuple[str, str]]) -> list[Source]:
    """The values of these records, (collection, key), and of those around them. Raises SourceDown."""
    visited = _Around()
    for collection, key in dict.fromkeys(starts):
        visited.from_record(collection, key)
    return visited.found


@dataclass(slots=True)
class _Around:
    """The records around some records, relation by relation; each relation of a collection is followed once from each record."""

    found: list[Source] = field(default_factory=list)
    reads: int = 0
    done: set[tuple[Any, ...]] = field(default_factory=set)

    def from_record(self, collection_id: str, key: str) -> None:
        """The record as a whole, and what relations lead to from it."""
        try:
            collection = records.collection(collection_id)
        except NotFound:
            return
        self.reads += 1
        rows = records.stored(unrestricted(collection_id), _columns(collection), key=key)
        self._note(collection, rows, near=True)
        self._follow(collection, rows, 1)

    def _follow(self, collection: Collection, rows: list[dict[str, Any]], depth: int) -> None:
        for relation in sorted(collection.relations, key=lambda each: each.kind != "to_one"):
            target = records.collection(relation.collection)
            if self.reads >= MOST_READS or not (_treated(target) or depth < FARTHEST):
                continue
            where = self._unseen(relation, rows)
            if not where:
                continue
            self.reads += 1
            target_rows = records.stored(unrestricted(target.id), _columns(target), where, limit=MOST_ROWS)
            self._note(target, target_rows)
            if depth < FARTHEST and target_rows:
                self._follow(target, target_rows, depth + 1)

    def _unseen(self, relation: Relation, rows: list[dict[str, Any]]) -> list[list[tuple[str, Any]]]:
        """The keys, as (column, value), of related rows that were not visited yet."""
        wanted = []
        for row in rows:
            pairs = [
                (target_column, row.get(own_column)) for own_column, target_column in relation.columns
            ] + [*relation.only]
            mark = (relation.collection, *((column, str(value)) for column, value in pairs))
            if all(value is not None for _, value in pairs) and mark not in self.done:
                self.done.add(mark)
                wanted.append(pairs)
        return wanted[:MOST_ROWS]

    def _note(self, collection: Collection, rows: list[dict[str, Any]], *, near: bool = False) -> None:
        treated = {
            name: how for name, how in _treated(collection).items() if near or _sought(collection, name)
        }
        labels = {
            name: field.label for name in treated if (field := collection.by_name.get(name)) is not None
        }
        for row in rows:
            data = {
                name: row[name]
                for name in treated
                if row.get(name) is not None and (near or _long_enough(row[name]))
            }
            if data:
                self.found.append(
                    Source("", "record", "", data, trusted=True, labels=labels, treatments=treated)
                )


def _treated(collection: Collection) -> dict[str, Treatment]:
    """Column → what a model gets of it, of those that it does not get as they are; hidden ones too."""
    treatments = {name: field_disclosure.of_field(collection, name) for name in collection.by_name}
    return {name: how for name, how in treatments.items() if how != "full"}


def _columns(collection: Collection) -> list[str]:
    """The treated columns, and those that lead on."""
    return [
        *_treated(collection),
        *(own_column for relation in collection.relations for own_column, _ in relation.columns),
    ]


def _sought(collection: Collection, name: str) -> bool:
    """Whether a value of this column says whose record it is: one of a few choices does not, and what is merely hidden only as a text."""
    about = collection.by_name[name]
    if (
        about.options
        or about.stored == "boolean"
        or name in {column for relation in collection.relations for column, _ in relation.columns}
    ):
        return False
    return about.ai != "full" or about.stored in {"text", "json", "array"}


def _long_enough(value: Any) -> bool:
    return not isinstance(value, str) or len(value.strip()) >= LEAST_TEXT


def _typed(ask_context: CaseContext) -> Iterator[Source]:
    """Values that people typed or the console computed at any step, if a model does not get all of them."""
    from console.ai.proposals.context import collections_of

    by_field: dict[str, Treatment] = {}
    for collection in collections_of(ask_context):
        for name, how in _treated(collection).items():
            by_field[name] = treatment.least((how, by_field.get(name, "full")))
    for step in ask_context.definition.document.steps:
        for name, kind in field_disclosure.typed_fields(known_config(ask_context, step.id)).items():
            by_field[name] = treatment.least(
                (field_disclosure.of_typed(name, kind), by_field.get(name, "full"))
            )
    run = ask_context.run
    attempts = [(attempt.step, attempt.values or {}) for attempt in run.attempts.values()]
    for step_id, values in (("", run.input or {}), *run.context.items(), *attempts):
        computed = field_disclosure.of_outputs(run, step_id)
        for of, value in values.items():
            for name, leaf in _leaves(value, of.rpartition(".")[2]):
                how = treatment.least(
                    (
                        by_field.get(name) or field_disclosure.of_typed(name, "text"),
                        *(computed.get(each, "full") for each in (of, ANY)),
                    )
                )
                if how == "full":
                    continue
                yield Source("", "step", "", {name: leaf}, trusted=True, treatments={name: how})


def known_config(ask_context: CaseContext, step_id: str) -> Any:
    """The settings of a step."""
    from console.ai.proposals.context import viewed

    return viewed(ask_context.definition, step_id)[1].config


def _leaves(value: Any, name: str, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """(the name under which it stands, scalar) for everything in a value."""
    if depth > MOST_DEPTH:
        return
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _leaves(entry, str(key).rpartition(".")[2], depth + 1)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _leaves(entry, name, depth + 1)
    elif value is not None and not isinstance(value, bool) and name:
        yield name, value
