"""What the blocks of a step show: computed from the context of its run when its screen is drawn, and recorded with it."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from console import browse, records, steps
from console.core import blocks, expressions
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.documents.fields import FieldDefinition
from console.core.errors import NotFound
from console.core.expressions.nodes import Calculation, Call, Node, Path, walk
from console.core.forms import FormField
from console.core.run import Run
from console.core.speaking import Saying
from console.log import masking
from console.runs.engine.stepping import OpenStep, rules_of, run_facts
from console.runs.views import reader_reach
from console.steps.base import Context, Read, rows_of
from console.steps.effects import spoken_values
from console.steps.items import LIST
from console.workflows import Definition

MOST_BYTES, MOST_OF_TITLE = 256 * 1024, 1024
FEWEST = 20
"""Entries that a long list keeps where there is no room for all."""
TOO_MUCH = "This is too large to be shown here: there are more values than a page can hold."
LOOK = ("type", "options", "widget", "currency", "minor", "references")
SAME_UNIT = frozenset({"sum", "max", "min", "round_half_up"})
"""Functions whose result has the unit of what they are given."""


def content(open_step: OpenStep, context: Context, fields: Sequence[FormField] = ()) -> list[blocks.Data]:
    """The data of the step's blocks, computed with what this person may read; `fields` are those of its form, with the values that it starts with."""
    written = open_step.definition.document.step(open_step.attempt.step).content
    if not written:
        return []
    roots = dict(context.roots)
    if open_step.kind.by_items and (here := open_step.kind.at_hand(open_step.view, context)) is not None:
        roots = dict(here.roots)
    started = {field.name: field.value for field in fields} if not open_step.kind.by_items else {}
    own = {**roots.get("steps", {}).get(open_step.view.id, {}), **started, **_own(open_step, context)}
    if own:
        roots["steps"] = {**roots.get("steps", {}), open_step.view.id: own}
    return computed(open_step.definition, open_step.view.id, roots)


def at_end(actor: Actor, definition: Definition, run: Run) -> list[blocks.Data]:
    """The data of the blocks of the end that a run reached, as this reader may see it: of what the run holds, and not of its record today."""
    last = run.attempts.get(max(run.attempts, default=0)) if run.status == "completed" else None
    written = definition.document.step(last.step) if last is not None else None
    if last is None or written is None or not written.content:
        return []
    moment = run.ended_at or run.created_at or datetime.now(UTC)
    roots = {
        "input": run.context.get(definition.document.start.id, run.input),
        "steps": run.context,
        **rules_of(definition, (run.created_at or moment).astimezone(UTC).date()).roots,
        "run": run_facts(run),
        "now": moment,
    }
    made = with_names(actor, computed(definition, last.step, roots))
    hidden = reader_reach.kept_from(
        actor, run.workflow, run.version, last.step, run=run.id, looking_back=True
    )
    return masking.mask({"content": made}, "", hidden, run.collection, screen=True)[0]["content"] or []


def computed(definition: Definition, step_id: str, roots: Mapping[str, Any]) -> list[blocks.Data]:
    """The data of the blocks of this step from these values."""
    looks = Looks(definition, step_id)
    return limit_blocks(blocks.compute(_blocks(definition, step_id), roots, looks.look))


def limit_blocks(content: list[blocks.Data]) -> list[blocks.Data]:
    """The blocks in at most 256 KB, as they are recorded: the longest lists are cut and say so; then in place of the largest stands a sentence."""
    content = list(content)
    sizes = [len(orjson.dumps(data)) for data in content]
    while sum(sizes) > MOST_BYTES:
        long = [number for number, data in enumerate(content) if len(_entries(data)) > FEWEST]
        if long:
            number = max(long, key=sizes.__getitem__)
            content[number] = _cut(content[number])
            sizes[number] = len(orjson.dumps(content[number]))
            continue
        largest = sizes.index(max(sizes))
        kept = (
            "block",
            "at",
            "side",
            "rests_on",
            *(("title",) if len(orjson.dumps(content[largest].get("title"))) < MOST_OF_TITLE else ()),
        )
        head: blocks.Data = {name: content[largest][name] for name in kept if name in content[largest]}
        content = [*content[:largest], {**head, "trouble": TOO_MUCH}, *content[largest + 1 :]]
        sizes[largest] = 0
    return content


def _entries(data: blocks.Data) -> list[blocks.Data]:
    kind = blocks.KINDS[data["block"]]
    return data.get(kind.entries) or []


def _cut(data: blocks.Data) -> blocks.Data:
    """The block with the first half of its list, and how many are left out; that rests on what decided which entries there are."""
    entries = _entries(data)
    kept = max(FEWEST, len(entries) // 2)
    more = data.get("more") or {"from": [], "value": 0}
    places = {*more["from"], *(place for entry in entries[kept:] for place in entry.get("rests_on", ()))}
    more = {"from": sorted(places), "value": more["value"] + len(entries) - kept}
    return {**data, blocks.KINDS[data["block"]].entries: entries[:kept], "more": more}


def with_names(actor: Actor, content: list[blocks.Data]) -> list[blocks.Data]:
    """The content with titles: the look of each value that refers to a record has the title of that record in `named`, if the actor may know it."""
    wanted = {(leaf["look"]["references"], str(leaf["value"])) for leaf in _references(content)}
    found = browse.names_of(actor, wanted) if wanted else {}
    for leaf in _references(content):
        known = found.get((leaf["look"]["references"], str(leaf["value"])))
        if known is not None:
            leaf["look"] = {
                **leaf["look"],
                "named": known.title,
                **({"absent": True} if known.absent else {}),
            }
    return content


def _references(value: Any) -> Iterator[dict[str, Any]]:
    """The leaves whose values are keys of records."""
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, dict):
        look = value.get("look")
        if isinstance(look, dict) and look.get("references") and isinstance(value.get("value"), str | int):
            yield value
        for item in value.values():
            yield from _references(item)


@functools.lru_cache(maxsize=512)
def _blocks(definition: Definition, step_id: str) -> tuple[blocks.Block, ...]:
    return tuple(blocks.parsed(definition.document.step(step_id).content))


def _own(open_step: OpenStep, context: Context) -> dict[str, Any]:
    """What the step itself has read, under the names of its output."""
    related = getattr(open_step.view.config, "related", ())
    found = rows_of(related, context.reads)
    named = {entry.name for entry in related}
    for name, rows in context.reads.items():
        if name not in named and name != LIST:
            values = [dict(row["values"]) for row in rows.rows]
            found[name] = (values[0] if values else {}) if name == "record" else values
    return found


class Looks:
    """How values of the fields that a step's expressions name are shown."""

    def __init__(self, definition: Definition, step_id: str) -> None:
        self.definition, self.step_id = definition, step_id
        self._known = {each.id: each for each in records.collections()}

    def look(self, text: str, each: str | None) -> Mapping[str, Any]:
        """The look of the field that the expression is; of a sum or a difference that of its fields, where they are all alike; else {}."""
        node = expressions.parse(text).node
        if isinstance(node, Path):
            return self._of_path(node, each) or self._as_in_texts(node)
        if not _keeps_unit(node):
            return {}
        found = [self._of_path(path, each) for path in walk(node) if isinstance(path, Path)]
        kept = [{name: value for name, value in item.items() if name != "options"} for item in found]
        units = {
            (
                item.get("widget"),
                item.get("minor"),
                item.get("type"),
                item.get("currency"),
                str(item.get("currency_of")),
            )
            for item in kept
        }
        return kept[0] if len(units) == 1 else {}

    def _of_path(self, path: Path, each: str | None) -> Mapping[str, Any]:
        names = (
            path.root,
            *(step for step in path.steps if isinstance(step, str)),
        )  # an entry of a list looks as each of them does
        place = path.root + "".join(
            f".{step}" if isinstance(step, str) else f"[{step}]" for step in path.steps
        )
        match names:
            case ("record", *rest):
                return self._of_field(self.definition.document.collection, rest, place)
            case ("item", *rest):
                return self._of_field(self._reads(self.step_id).get(LIST), rest, place)
            case ("entry", *rest) if each is not None:
                listed = expressions.parse(each).node
                match (*listed.names, *rest) if isinstance(listed, Path) else ():
                    case ("steps", step, "items", "values", name):
                        return self._of_output(step, name)
                match listed.names if isinstance(listed, Path) else ():
                    case ("steps", step, read):
                        return self._of_field(self._reads(step).get(read), rest, place)
            case ("input", name):
                return self._of_output(self.definition.document.start.id, name)
            case ("steps", step, read, *rest) if rest and read in self._reads(step):
                return self._of_field(self._reads(step)[read], rest, place)
            case ("steps", step, name):
                return self._of_output(step, name)
        return {}

    def _as_in_texts(self, path: Path) -> Mapping[str, Any]:
        """As the texts of the step say it: what was decided, and what was filled in for an action, by label."""
        how = self._said.get(path.names)
        if how is None or not how.labels:
            return {"type": "text", "widget": "person"} if how is not None and how.person else {}
        return {
            "type": "enum",
            "options": [{"value": value, "label": label} for value, label in how.labels.items()],
        }

    @functools.cached_property
    def _said(self) -> Saying:
        return spoken_values.of_run(
            self.definition.id, self.definition.number, self.definition.document, self.step_id
        )

    def _reads(self, step_id: str) -> dict[str, str]:
        """Name of a read of the step → its collection."""
        return _reads(self.definition, step_id)

    def _of_field(self, collection_id: str | None, rest: list[str], place: str) -> Mapping[str, Any]:
        """The look of a field of a collection, or of one that a relation of it leads to."""
        collection = self._known.get(collection_id or "")
        if collection is None or not rest:
            return {}
        field = collection.field(rest[0]) if len(rest) == 1 else None
        if field is not None:
            look = {
                name: value for name, value in field.to_json().items() if name in LOOK and value is not None
            }
            beside = collection.currencies.get(rest[0])
            if beside is not None:
                at = place.rpartition(".")[0]
                look |= {
                    "currency": None,
                    "currency_at": f"{at}.{beside}",
                    "currency_of": [collection.id, beside],
                }
            return look
        relation = collection.relation(rest[0])
        return self._of_field(relation.collection, rest[1:], place) if relation is not None else {}

    def _of_output(self, step_id: str, name: str) -> Mapping[str, Any]:
        """The look of a value in a step's output: of a field of its form, a column that it writes, or a total."""
        step = next((step for step in self.definition.document.steps if step.id == step_id), None)
        if step is None:
            return {}
        kind, view = steps.get(step.type), steps.view(step)
        for part in ("form", "fields", "output"):
            for entry in getattr(view.config, part, None) or ():
                if isinstance(entry, FieldDefinition) and entry.name == name:
                    return _of_form(entry)
        for read in kind.reads(view):
            for total in read.totals:
                if total.name == name and total.field is not None:
                    return self._of_field(
                        _read_from(read, self.definition.document.collection), [total.field], name
                    )
        return (
            self._of_field(self.definition.document.collection, [name], f"record.{name}")
            if name in kind.edits(view)
            else {}
        )


@functools.lru_cache(maxsize=2048)
def _reads(definition: Definition, step_id: str) -> dict[str, str]:
    step = next((step for step in definition.document.steps if step.id == step_id), None)
    if step is None:
        return {}
    own = definition.document.collection
    read = {
        one.name: _read_from(one, own)
        for one in steps.get(step.type).reads(steps.view(step))
        if one.fields or not one.totals
    }
    return {name: collection for name, collection in read.items() if collection is not None}


def _read_from(read: Read, own: str | None) -> str | None:
    """The collection that is read; None if it no longer exists."""
    if read.collection is not None or read.relation is None:
        return read.collection or own
    try:
        collection: Collection = records.collection(own or "")
    except NotFound:
        return None
    relation = collection.relation(read.relation)
    return relation.collection if relation is not None else None


def _of_form(entry: FieldDefinition) -> dict[str, Any]:
    """The look of a field of a form; one that refers to records names their collection."""
    look = {key: value for key, value in entry.field().to_json().items() if key in LOOK and value is not None}
    return {**look, "options": None, "references": entry.collection} if entry.type == "reference" else look


def _keeps_unit(node: Node) -> bool:
    """Whether the value has the unit of the fields that it is computed from: sums, differences, the largest, the smallest."""
    if isinstance(node, Calculation):
        return all(sign in "+-" for sign, _ in node.rest)
    return isinstance(node, Call) and not node.method and node.name in SAME_UNIT
