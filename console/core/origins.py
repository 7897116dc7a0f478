"""From which fields of which collections the values of a run were made, told from the version of its workflow.

Nothing is noted while a run goes on: a version never changes, and its expressions say what each name of each step's output, each text and each
compared value was made of, also for what was written long ago. Where that cannot be told for a part, it counts as made of all that the whole is made of.
Only what was worked out is meant: the way that a run took because of a field's value is no value.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from console.core import expressions
from console.core.expressions.nodes import Path, walk

Origin: TypeAlias = tuple[str, str]
"""(collection, field); the field `ANY` stands for whichever of them."""
Origins: TypeAlias = frozenset[Origin]
Hidden: TypeAlias = Callable[[str | None], frozenset[str]]
"""Collection id (None: of no collection) → names of the fields that may not be read there."""
Way: TypeAlias = tuple[str, ...]
"""A path of an expression name by name, places in lists left out: `("steps", "load", "accounts", "iban")`."""

ANY = "*"
SAID = "<said>"
"""Stands among the names for what people read of a step: its texts, titles and messages."""
SENT = "<sent>"
"""Stands among the names for what goes to other systems, and so may come back from them."""
LIMIT = "<limit>"
"""Before the name of a field: its largest value."""
COMPARED = "<compared>"
"""Stands among the names for what conditions look at."""
FORM = "<form>"
"""Stands among the names for which fields a form has, and what they are called."""
NOTHING: Origins = frozenset()


def ways(text: str, *, template: bool = False) -> tuple[Way, ...]:
    """The paths that an expression, or a template, looks at. Raises ExpressionError."""
    found = expressions.templates(text) if template else [expressions.parse(text)]
    paths = [node for each in found for node in walk(each.node) if isinstance(node, Path)]
    return tuple(sorted({(path.root, *(step for step in path.steps if isinstance(step, str))) for path in paths}))


@dataclass(frozen=True, slots=True)
class Text:
    """What an expression or template looks at, and which names of the step's output are made of that (`SAID`, `SENT` and `ANY` among them).

    `about` is the collection of its `record`; None: the run's own.
    """

    names: frozenset[str]
    ways: tuple[Way, ...]
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """Rows that a step reads; without fields every one."""

    collection: str
    fields: frozenset[str] = frozenset()

    def origins(self, rest: Way = ()) -> Origins:
        """Those of the first name of `rest` that is a field of the rows; else of all of them."""
        named = next((name for name in rest if name in self.fields or (not self.fields and name.isidentifier())), None)
        if named is not None:
            return frozenset({(self.collection, named)})
        return frozenset((self.collection, name) for name in self.fields or {ANY})


@dataclass(frozen=True, slots=True)
class Step:
    """A step as far as its values come from somewhere. `items` is what `item` stands for: a name among `reads`, or the ways to a list;
    `own` says that `input` are values of its own form; `declared` are the fields that its settings name themselves.
    """

    id: str
    texts: tuple[Text, ...] = ()
    reads: Mapping[str, Taken] = field(default_factory=dict)
    figures: Mapping[str, Origin] = field(default_factory=dict)
    items: str | tuple[Way, ...] | None = None
    own: bool = False
    kind: str = ""
    declared: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Version:
    """A version of a workflow: its steps, and what its collections' titles are made of.

    `asks`: something may be proposed at a step. `taken`: of one run of it, step → field → what the proposed value rests on that a person took over.
    `led` says where a relation of a collection leads, `rows` of which collections lists may be that steps keep under a name. `read` False: it
    cannot be read, and nothing is known of it.
    """

    collection: str | None
    start: str
    steps: Mapping[str, Step]
    titles: Mapping[str, Origins] = field(default_factory=dict)
    led: Mapping[tuple[str, str], str] = field(default_factory=dict)
    rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    read: bool = True
    asks: bool = False
    taken: Mapping[str, Mapping[str, Origins]] = field(default_factory=dict)

    @cached_property
    def made(self) -> Mapping[str, Mapping[str, Origins]]:
        """Step → name → what it is made of; steps may look at one another in a circle, so it is worked out until nothing is added."""
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
                    found = frozenset[Origin]().union(*(self._of(way, step, text.about, known) for way in text.ways))
                    for name in text.names:
                        before = known[step.id].get(name, NOTHING)
                        if not found <= before:
                            known[step.id][name] = before | found
                            grown = True
        return known

    def _read(self, step: Step) -> dict[str, Origins]:
        """What is known of a step before its expressions are looked at."""
        found: dict[str, Origins] = {name: frozenset({origin}) for name, origin in step.figures.items()}
        for name, origins in self.taken.get(step.id, {}).items():
            found[name] = found.get(name, NOTHING) | origins
        if isinstance(step.items, str) and step.items in step.reads:
            found["title"] = self.titles.get(step.reads[step.items].collection, NOTHING)
        return found

    def _of_entries(self, step: Step, known: Mapping[str, Mapping[str, Origins]]) -> Iterator[tuple[str, Origins]]:
        """(name, what it is made of) of the entries of a list that a step goes through; `ANY` where their names cannot be told."""
        for way in step.items if isinstance(step.items, tuple) else ():
            found = self._of(way, step, None, known)
            yield "title", found
            yield "value", found
            known_rows = way[:1] == ("steps",) and len(way) == 3 and way[1] in self.steps and way[2] in self.steps[way[1]].reads
            for origin in found:
                yield (origin[1] if known_rows and origin[1] != ANY else ANY), frozenset({origin})

    def of(self, way: Way, step: str | None) -> Origins:
        """What the value is made of that a path leads to, as the expressions of this step see it."""
        return self._of(way, self.steps.get(step or "") or Step(""), None, self.made)

    def _of(self, way: Way, step: Step, about: str | None, known: Mapping[str, Mapping[str, Origins]]) -> Origins:
        match way:
            case ("record", *rest):
                return self._of_record(about or self.collection, tuple(rest))
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

    def _of_record(self, collection: str | None, rest: Way) -> Origins:
        if collection is None:
            return NOTHING
        if not rest:
            return frozenset({(collection, ANY)})
        target = self.led.get((collection, rest[0]))
        further = self._of_record(target, rest[1:]) if target is not None and len(rest) > 1 else NOTHING
        return further | {(collection, rest[0])}

    def _of_step(self, step_id: str, rest: Way, known: Mapping[str, Mapping[str, Origins]]) -> Origins:
        step, made = self.steps.get(step_id), known.get(step_id, {})
        if step is None:
            return NOTHING
        whole = made.get(ANY, NOTHING)
        inner = frozenset[Origin]().union(*(made.get(name, NOTHING) for name in rest))
        if rest and rest[0] in step.reads:
            return whole | inner | step.reads[rest[0]].origins(rest[1:])
        if rest and rest[0] != "items":
            return whole | inner
        plain = (origins for name, origins in made.items() if not name.startswith("<"))
        return whole.union(*plain, *(each.origins() for each in step.reads.values()))

    def _of_item(self, step: Step, rest: Way, known: Mapping[str, Mapping[str, Origins]]) -> Origins:
        own = known.get(step.id, {}).get(rest[0], NOTHING) if rest else NOTHING
        if isinstance(step.items, str):
            taken = step.reads.get(step.items)
            return own if taken is None or rest[:1] in (("key",), ("title",), ("by",)) else own | taken.origins(rest)
        return own.union(*(self._of((*way, *rest), step, None, known) for way in step.items or ()))


def shut(origins: Iterable[Origin], hidden: Hidden) -> bool:
    """Whether something is made of a field that may not be read."""
    return any(name in names or (name == ANY and bool(names)) for collection, name in origins if (names := hidden(collection)))


class Closed:
    """What of a version's values one reader may not see. `hidden` are the fields kept from them."""

    def __init__(self, version: Version, hidden: Hidden) -> None:
        self.version, self.hidden = version, hidden
        self._known: dict[str | None, frozenset[str]] = {}

    def names(self, step: str | None) -> frozenset[str]:
        """Names of this step's output that are closed, with `ANY` for whatever is not told apart; None: of any step."""
        if step not in self._known:
            every = self.version.made
            steps = [step] if step is not None else list(every)
            self._known[step] = frozenset(
                name for each in steps for name, origins in every.get(each, {}).items() if shut(origins, self.hidden)
            )
        return self._known[step]

    def of_kind(self, kind: str) -> frozenset[str]:
        """The same of any step of this type."""
        return frozenset[str]().union(*(self.names(step.id) for step in self.version.steps.values() if step.kind == kind))

    def says(self, step: str | None) -> bool:
        """Whether the texts of the step may be read."""
        return self.version.read and SAID not in self.names(step)

    def way(self, dotted: str, step: str | None) -> bool:
        """Whether what a path led to is closed, as `compared` names it. One that cannot be told apart is closed with anything of the step."""
        first, *rest = dotted.split(".")
        if first == expressions.TABLES:
            return COMPARED in self.names(step)
        whole = [".".join(rest[place:]) for place in (0, 2)]  # a name may hold a dot
        found = [(first, *rest), (first, whole[0]), (first, *rest[:2], whole[1])]
        return any(shut(self.version.of(tuple(filter(None, way)), step), self.hidden) for way in found)
