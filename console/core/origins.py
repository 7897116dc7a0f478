"""Origins of values in a run: from which fields of which collections they were computed, derived from the workflow version.

Nothing is recorded during a run. A version never changes, and its expressions say what each output, text and compared value was computed
from, also for past runs. If this cannot be known for a part, the part has all origins of the whole.
Only values count: the path that a run took because of a field's value has no origins.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from console.core import expressions
from console.core.documents.collections import Collection
from console.core.expressions.nodes import Call, Literal, Node, Path, walk

Origin: TypeAlias = tuple[str, str]
"""(collection, field); `ANY` as field means any of them."""
Origins: TypeAlias = frozenset[Origin]
Hidden: TypeAlias = Callable[[str | None], frozenset[str]]
"""Collection id (None: no collection) → names of unreadable fields."""
Way: TypeAlias = tuple[str, ...]
"""A path of an expression as names, without list indexes: `("steps", "load", "accounts", "iban")`."""

ANY = "*"
SAID = "<said>"
"""Pseudo-name for what people read of a step: texts, titles and messages."""
TEXT = "<text>"
"""Pseudo-name for the text above a step's form: those of `SAID` but what a rule says of a value, a check of a document, or a field's help."""
HELP = "<help>"
"""Pseudo-name for what stands as help at the fields of a form."""
SENT = "<sent>"
"""Pseudo-name for what is sent to other systems, and may come back from them."""
LIMIT = "<limit>"
"""Prefix of a field's name: its largest value."""
COMPARED = "<compared>"
"""Pseudo-name for the values that conditions test."""
FORM = "<form>"
"""Pseudo-name for which fields a form has, and their labels."""
KEY = "<key>"
"""Pseudo-field for the keys and the number of rows: hidden from readers who may not know all of them."""
ANSWERED = ("results", "answer")
"""Parts of a step's output that another system, or a function of an action, answered: what in them is called like a field is taken for its value."""
PLACE = "@"
"""Separates a collection from the read that loaded its rows: `customer@load.others` (see `Taken.place`)."""
NOTHING: Origins = frozenset()


def base_collection_id(collection: str) -> str:
    """The id of the collection, without the read that loaded its rows."""
    return collection.partition(PLACE)[0]


def read_of_action(action: str, related: str = "") -> str:
    """The name of what a step reads for an action: its record, or the records `related` to it."""
    return f"{action}/{related or 'record'}"


def ways(text: str, *, template: bool = False) -> tuple[Way, ...]:
    """The paths used by an expression or template. Raises ExpressionError."""
    found = expressions.templates(text) if template else [expressions.parse(text)]
    return tuple(
        sorted({way for each in found for node in walk(each.node) if (way := _way(node)) is not None})
    )


MOST_HOPS = 2
"""Relations that a path may follow: as far as what a model may not get is looked for around the record."""


def followed(found: Iterable[Way], own: Collection | None, known: Mapping[str, Collection]) -> dict[Way, str]:
    """Return the relations to one record that paths of the `record` follow, the nearest first: `("customer", "country")` → collection."""
    led: dict[Way, str] = {}
    for root, *names in found:
        here = own if root == "record" else None
        for depth, name in enumerate(names[:-1][:MOST_HOPS], 1):
            relation = here.relation(name) if here is not None else None
            if relation is None or relation.kind != "to_one":
                break
            led[tuple(names[:depth])] = relation.collection
            here = known.get(relation.collection)
    return dict(sorted(led.items(), key=lambda each: len(each[0])))


def read_of_relation(path: Way) -> str:
    """The name of what a step reads where its expressions follow relations of the record."""
    return ".".join(("record", *path))


def _way(node: Node) -> Way | None:
    """The way of a path, and of a `lookup` in one by a name that is written there: it goes on with that name. None for any other node."""
    match node:
        case Path(root=root, steps=steps):
            return (root, *(step for step in steps if isinstance(step, str)))
        case Call(name="lookup", arguments=(table, Literal(value=str(name)), *_)):
            return (*way, name) if (way := _way(table)) is not None else None
        case Call(name="lookup", arguments=(table, *_)):
            return _way(table)
    return None


@dataclass(frozen=True, slots=True)
class Text:
    """An expression or template, and the outputs of the step that are computed from it (including `SAID`, `SENT` and `ANY`).

    `about` is the collection of its `record`; None: the run's own. `names_records`: references are said by the title of their record.
    """

    names: frozenset[str]
    ways: tuple[Way, ...]
    about: str | None = None
    names_records: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """Rows that a step reads; without `fields` all fields. `collection` names the read too, unless it is the run's own record."""

    collection: str
    fields: frozenset[str] = frozenset()

    @property
    def key(self) -> Origins:
        """The origins of the rows' keys, and of how many they are."""
        return frozenset({(self.collection, KEY)})

    def origins(self, rest: Way = ()) -> Origins:
        """The origins of the first name in `rest` that is a field of the rows; otherwise of all fields."""
        named = next(
            (name for name in rest if name in self.fields or (not self.fields and name.isidentifier())), None
        )
        if named is not None:
            return frozenset({(self.collection, named)})
        return frozenset((self.collection, name) for name in self.fields or {ANY})


@dataclass(frozen=True, slots=True)
class Step:
    """A step, as far as its values have origins. `items` is what `item` means: a name in `reads`, or the paths of a list; `own`: `input` are
    values of the step's own form; `declared` are fields named in its settings. `places`: read of other records → its collection with the read.
    `loop`: the step for each item of which this one is done.
    """

    id: str
    texts: tuple[Text, ...] = ()
    reads: Mapping[str, Taken] = field(default_factory=dict)
    figures: Mapping[str, Origin] = field(default_factory=dict)
    items: str | tuple[Way, ...] | None = None
    own: bool = False
    kind: str = ""
    declared: frozenset[str] = frozenset()
    places: Mapping[str, str] = field(default_factory=dict)
    loop: str = ""

    @property
    def rows_acted_on(self) -> tuple[str, ...]:
        """The reads whose rows an effect of the step may be about."""
        return tuple(
            place
            for name, place in self.places.items()
            if name == "items" or name.endswith(read_of_action(""))
        )


@dataclass(frozen=True)
class Version:
    """A workflow version: its steps, and the title fields of its collections.

    `asks`: a step can have proposals. `taken`: step → field → origins of proposed values that a person accepted, for one run.
    `led` gives the target of a relation, `rows` the collections of row lists, `loaded` all reads of records other than the run's own.
    `read` False: the version cannot be parsed, and nothing is known.
    """

    collection: str | None
    start: str
    steps: Mapping[str, Step]
    titles: Mapping[str, Origins] = field(default_factory=dict)
    led: Mapping[tuple[str, str], str] = field(default_factory=dict)
    rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    loaded: frozenset[str] = frozenset()
    read: bool = True
    asks: bool = False
    taken: Mapping[str, Mapping[str, Origins]] = field(default_factory=dict)

    @cached_property
    def made(self) -> Mapping[str, Mapping[str, Origins]]:
        """Step → name → origins. Steps may refer to each other in a circle, so this is repeated until nothing is added."""
        known: dict[str, dict[str, Origins]] = {step: self._read(of) for step, of in self.steps.items()}
        grown = True
        while grown:
            grown = False
            for step in self.steps.values():
                for name, found in self._of_entries(step, known):
                    if not found <= known[step.id].get(name, NOTHING):
                        known[step.id][name] = known[step.id].get(name, NOTHING) | found
                        grown = True
                for text in step.texts:
                    found = frozenset[Origin]().union(
                        *(self._of(way, step, text.about, known) for way in text.ways)
                    )
                    if text.names_records:
                        found = found.union(
                            *(
                                self.titles.get(self.led.get((base_collection_id(of), name), ""), NOTHING)
                                for of, name in found
                            )
                        )
                    for name in text.names:
                        before = known[step.id].get(name, NOTHING)
                        if not found <= before:
                            known[step.id][name] = before | found
                            grown = True
        return known

    def _read(self, step: Step) -> dict[str, Origins]:
        """What is known of a step without its expressions."""
        found: dict[str, Origins] = {name: frozenset({origin}) for name, origin in step.figures.items()}
        for name, taken in step.reads.items():
            if PLACE in taken.collection:
                found[name] = found.get(name, NOTHING) | taken.key
        for name, origins in self.taken.get(step.id, {}).items():
            found[name] = found.get(name, NOTHING) | origins
        if isinstance(step.items, str) and step.items in step.reads:
            taken = step.reads[step.items]
            found["title"] = frozenset(
                (taken.collection, name)
                for _, name in self.titles.get(base_collection_id(taken.collection), NOTHING)
            )
            found |= {"key": taken.key, "item": taken.key}
        return found

    def _of_entries(
        self, step: Step, known: Mapping[str, Mapping[str, Origins]]
    ) -> Iterator[tuple[str, Origins]]:
        """(name, origins) for the entries of a list that a step goes through; `ANY` if their names are unknown."""
        for way in step.items if isinstance(step.items, tuple) else ():
            found = self._of(way, step, None, known)
            yield "title", found
            yield "value", found
            known_rows = (
                way[:1] == ("steps",)
                and len(way) == 3
                and way[1] in self.steps
                and way[2] in self.steps[way[1]].reads
            )
            for origin in found:
                yield (origin[1] if known_rows and origin[1] != ANY else ANY), frozenset({origin})

    def of(self, way: Way, step: str | None) -> Origins:
        """The origins of the value at this path, as the step's expressions see it."""
        return self._of(way, self.steps.get(step or "") or Step(""), None, self.made)

    def _of(
        self, way: Way, step: Step, about: str | None, known: Mapping[str, Mapping[str, Origins]]
    ) -> Origins:
        match way:
            case ("record", *rest):
                return self._of_record(
                    about or self.collection, tuple(rest), {} if about else step.places, ()
                )
            case ("input", *rest):
                return self._of_step(step.id if step.own else self.start, tuple(rest), known)
            case ("steps", named, *rest):
                return self._of_step(named, tuple(rest), known)
            case ("steps",):
                return frozenset[Origin]().union(*(self._of_step(each, (), known) for each in self.steps))
            case ("item", *rest):
                return self._of_item(step, tuple(rest), known)
            case ("results" | "answer" | "found" | "document", *_):
                return known.get(step.id, {}).get(SENT, NOTHING)
        return NOTHING

    def _of_record(self, collection: str | None, rest: Way, places: Mapping[str, str], path: Way) -> Origins:
        if collection is None:
            return NOTHING
        if not rest:
            return frozenset({(collection, ANY)})
        path = (*path, rest[0])
        target = self.led.get((base_collection_id(collection), rest[0]))
        further = (
            self._of_record(places.get(read_of_relation(path), target), rest[1:], places, path)
            if target is not None and len(rest) > 1
            else NOTHING
        )
        return further | {(collection, rest[0])}

    def _of_step(self, step_id: str, rest: Way, known: Mapping[str, Mapping[str, Origins]]) -> Origins:
        step, made = self.steps.get(step_id), known.get(step_id, {})
        if step is None:
            return NOTHING
        whole = made.get(ANY, NOTHING)
        inner = frozenset[Origin]().union(*(made.get(name, NOTHING) for name in rest))
        if rest and rest[0] in step.reads:
            return whole | inner | step.reads[rest[0]].origins(rest[1:])
        if rest and rest[0] in ANSWERED and self.collection is not None:  # an answer calls it like the field
            return whole | inner | {(self.collection, name) for name in rest[1:]}
        if rest and rest[0] != "items":
            return whole | inner
        plain = (origins for name, origins in made.items() if not name.startswith("<"))
        return whole.union(*plain, *(each.origins() for each in step.reads.values()))

    def _of_item(self, step: Step, rest: Way, known: Mapping[str, Mapping[str, Origins]]) -> Origins:
        step = self.steps.get(step.loop, step) if step.items is None else step
        own = known.get(step.id, {}).get(rest[0], NOTHING) if rest else NOTHING
        if isinstance(step.items, str):
            taken = step.reads.get(step.items)
            typed = (
                step.declared - taken.fields if taken is not None and taken.fields else frozenset[str]()
            )  # what its form asks of an item
            return (
                own
                if taken is None or not {"key", "title", "by", *typed}.isdisjoint(rest[:1])
                else own | taken.origins(rest)
            )
        return own.union(*(self._of((*way, *rest), step, None, known) for way in step.items or ()))


def any_hidden(origins: Iterable[Origin], hidden: Hidden) -> bool:
    """Whether any origin is an unreadable field."""
    return any(
        name in names or (name == ANY and bool(names))
        for collection, name in origins
        if (names := hidden(collection))
    )


class Closed:
    """The values of a version that one reader may not see. `hidden` are their unreadable fields.

    `rows`: read with a row that they may not see → keys of its visible rows.
    """

    def __init__(
        self, version: Version, hidden: Hidden, rows: Mapping[str, frozenset[str]] | None = None
    ) -> None:
        self.version, self.hidden, self.rows = version, hidden, rows or {}
        self._known: dict[str | None, frozenset[str]] = {}

    def names(self, step: str | None) -> frozenset[str]:
        """Names of hidden outputs of this step, with `ANY` for values that cannot be told apart; None: of any step."""
        if step not in self._known:
            every = self.version.made
            if step is not None and every and step not in every and self.version.read:
                self._known[step] = self._of_another_version()
                return self._known[step]
            steps = [step] if step is not None else list(every)
            self._known[step] = frozenset(
                name
                for each in steps
                for name, origins in every.get(each, {}).items()
                if any_hidden(origins, self.hidden)
            )
        return self._known[step]

    def _of_another_version(self) -> frozenset[str]:
        """Of a step that a run left when it was moved to this version: everything, for a reader from whom any field is hidden."""
        shut = any_hidden(((collection, ANY) for collection in self.version.titles), self.hidden)
        return frozenset({ANY, SAID, TEXT, HELP, SENT, COMPARED}) if shut else frozenset()

    def of_kind(self, kind: str) -> frozenset[str]:
        """Like `names`, for any step of this type."""
        return frozenset[str]().union(
            *(self.names(step.id) for step in self.version.steps.values() if step.kind == kind)
        )

    def says(self, step: str | None) -> bool:
        """Whether the step's texts may be read."""
        return self.version.read and SAID not in self.names(step)

    def way(self, dotted: str, step: str | None) -> bool:
        """Whether the value at a path in `compared` is hidden. If it cannot be told apart, it is hidden if anything of the step is."""
        first, *rest = dotted.split(".")
        if first == expressions.TABLES:
            return COMPARED in self.names(step)
        if (
            first == "steps"
            and rest[1:2] in ([part] for part in ANSWERED)
            and not self.hidden(self.version.collection).isdisjoint(rest[2:])
        ):
            return True  # an answer names it like the field
        whole = [".".join(rest[place:]) for place in (0, 2)]  # a name may contain a dot
        found = [(first, *rest), (first, whole[0]), (first, *rest[:2], whole[1])]
        return any(any_hidden(self.version.of(tuple(filter(None, way)), step), self.hidden) for way in found)
