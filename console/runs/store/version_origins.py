"""From which fields the values of a workflow version are computed, by the settings of its steps."""

import functools
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Generic, TypeVar

from console import records, steps, workflows
from console.auth import access
from console.core import blocks
from console.core.actor import Actor
from console.core.blocks.base import ENTRY as OF_LIST
from console.core.documents import action_document as actions
from console.core.documents.collections import Collection
from console.core.documents.fields import Located
from console.core.documents.workflow import Workflow
from console.core.effect_kinds import Kind
from console.core.errors import ConsoleError, NotFound
from console.core.expressions import ExpressionError
from console.core.origins import (
    ANY,
    COMPARED,
    FORM,
    HELP,
    KEY,
    LIMIT,
    NOTHING,
    PLACE,
    SAID,
    SENT,
    TEXT,
    Hidden,
    Origin,
    Origins,
    Step,
    Taken,
    Text,
    Version,
    Way,
    any_hidden,
    followed,
    read_of_action,
    read_of_relation,
    ways,
)
from console.infra.db.engine import fetch
from console.infra.db.run_reach import EVERY_RUN
from console.log import masking
from console.records import former_fields
from console.runs.store.loaded_rows import asked_of_runs
from console.steps.base import Read, StepType, StepView
from console.steps.effects import action_cache
from console.steps.items import LIST

OFFERED = re.compile(r"^actions\[\d+\]\.")
"""The beginning of the settings of a further action of a step: they are those of an action."""
ENTRY = re.compile(r"(\w+)\[(\d+)\]\.?(.*)")
JUDGING = frozenset(
    {
        "if",
        "unless",
        "required_if",
        "pass",
        "unsure",
        "find",
        "where",
        "documents",
        "record",
        "assignee",
        "filter",
    }
)
"""Settings with conditions. Their values appear only among the compared values."""
READ = frozenset(
    {"text", "title", "question", "message", "said", "why_not", "why", "to", "done", "refused", "help"}
)
"""Settings that are texts for people."""
RECORD = "record_key"
"""The key of the record that a step of the type `action` worked out."""
OWN = frozenset({"to", "sender", "reason", "option", "item"})
"""Fields that every step of certain types has."""
NOWHERE = Version(None, "", {})
UNREAD = Version(None, "", {}, read=False)


def origins_of(workflow: str, version: int) -> Version:
    """The origins of this version's values. For a version that this release cannot read, nothing is known of its steps."""
    try:
        every = action_cache.every() if (named := _acts(workflow, version)) else {}
        return _compute_origins(
            workflow,
            version,
            _Same([every[name] for name in named if name in every]),
            _Same(records.collections()),
        )
    except NotFound:
        return NOWHERE
    except (ConsoleError, ValueError, LookupError):  # a step type that this release does not have
        return UNREAD


def read_live_versions(seconds: float) -> int:
    """Read the live version of each workflow, the last changed ones first, for at most so many seconds; how many were read.

    Its document, expressions and origins then stay known in this process.
    """
    until, read = time.monotonic() + seconds, 0
    for workflow, version in fetch(
        "select id, live_version from console.workflow where live_version is not null order by updated_at desc"
    ):
        if time.monotonic() > until:
            break
        origins_of(workflow, version).made  # noqa: B018 (kept on the version once it is asked for)
        read += 1
    return read


@functools.lru_cache(maxsize=512)
def _acts(workflow: str, version: int) -> tuple[str, ...]:
    """Ids of the actions that the steps of the version name."""
    document = workflows.version(workflow, version).document
    named = {
        use.column for step in document.steps for use in steps.get(step.type).actions(steps.view(step).config)
    }
    return tuple(sorted(filter(None, named)))


Kept = TypeVar("Kept", Collection, actions.Action)


class _Same(Generic[Kept]):
    """Documents as part of a cache key, compared by identity. The key keeps the objects alive."""

    def __init__(self, documents: Iterable[Kept]) -> None:
        self.every: dict[str, Kept] = {each.id: each for each in documents}
        self._mark: tuple[tuple[str, int], ...] = tuple(
            (name, id(each)) for name, each in sorted(self.every.items())
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self._mark == other._mark

    def __hash__(self) -> int:
        return hash(self._mark)


@functools.lru_cache(maxsize=256)
def _compute_origins(
    workflow: str, version: int, done: _Same[actions.Action], known: _Same[Collection]
) -> Version:
    definition = workflows.version(workflow, version)
    document, since = definition.document, definition.published_at
    around = steps.loops_around(document)
    made = {
        step.id: replace(
            _step(document, steps.get(step.type), steps.view(step), known.every, done.every),
            loop=around.get(step.id, ""),
        )
        for step in document.steps
    }
    titles = {
        name: frozenset((name, field) for field in former_fields.fields_of_titles(name, since))
        for name in known.every
    }
    led = {
        (each.id, name): relation.collection
        for each in known.every.values()
        for relation in each.relations
        for name in (relation.name, *(here for here, _ in relation.columns[:1] if relation.kind == "to_one"))
    }
    rows: dict[str, tuple[str, ...]] = {}
    for step in made.values():
        for name, taken in step.reads.items():
            rows[name] = tuple(dict.fromkeys((*rows.get(name, ()), taken.collection)))
    loaded = frozenset(place for step in made.values() for place in step.places.values())
    asks = any(step.ai is not None or steps.get(step.type).family == "llm" for step in document.steps)
    return Version(document.collection, document.start.id, made, titles, led, rows, loaded, asks=asks)


_TAKEN = """
select a.run, a.step, p->>'name', s->>'collection', s->>'step', s->>'field' from console.attempt a
cross join lateral jsonb_array_elements(a.proposal->'fields') p cross join lateral jsonb_array_elements(p->'sources') s
join console.ai_field f on f.call = a.proposal->>'call' and f.name = p->>'name' and f.outcome in ('accepted', 'small_edit')
where a.run = any(%s) and jsonb_typeof(a.proposal->'fields') = 'array' and s->>'field' is not null
"""
_REASONED = """
select a.run, a.step, a.proposal->>'for' from console.attempt a where a.run = any(%s) and jsonb_typeof(a.proposal->'choice') = 'object'
"""
REASONS = frozenset({"rationale", "sources"})
"""What a decision leaves that the AI made: words of a model that was given what one person may see."""
_HANDED = f"""
select p.id, p.workflow, p.version, c.origin->>'id' from {EVERY_RUN.sql("c")} join {EVERY_RUN.sql("p")} on p.id = c.parent
where c.id = %s and (c.workflow, c.version) is distinct from (p.workflow, p.version)
"""  # noqa: S608 (a text of ours)


@functools.lru_cache(maxsize=20_000)
def _handed_by(run: str) -> tuple[tuple[str, str, int, str], ...]:
    """(run, workflow, version, step) that started the run with values; who started a run never changes."""
    return tuple((parent, of, number, step) for parent, of, number, step in fetch(_HANDED, (run,)))


def of_run(run: str, workflow: str, version: int, hidden: Hidden) -> Version:
    """The same for one run, with accepted proposals and what the run that started it handed in. Only origins in fields that are `hidden` count."""
    known = origins_of(workflow, version)
    if not any(hidden(each.id) for each in records.collections()):
        return known
    taken: dict[str, dict[str, Origins]] = {}
    for parent, of, number, step in _handed_by(
        run
    ):  # what another run handed in is made of what that run read
        handed = of_run(parent, of, number, hidden).made.get(step, {}).get(ANY, NOTHING)
        if any_hidden(handed, hidden):
            taken[known.start] = {ANY: handed}
    for step, name, collection, source, place in asked_of_runs(_TAKEN, run) if known.asks else ():
        way = tuple(str(place).split("."))
        rests = known.of(("steps", source, *way), None) if source else NOTHING
        rests |= {(collection, way[-1])} if collection else NOTHING
        if any_hidden(rests, hidden):
            taken.setdefault(step, {})[name] = taken.get(step, {}).get(name, NOTHING) | rests
    for step, person in asked_of_runs(_REASONED, run) if known.asks else ():
        made = known.steps.get(step)
        if made is not None and made.kind == "decision" and REASONS.isdisjoint(made.declared):
            unseen = _seen_by_another(person, hidden)
            taken[step] = {**taken.get(step, {}), **(dict.fromkeys(REASONS, unseen) if unseen else {})}
    return replace(known, taken=taken) if taken else known


def _seen_by_another(person: str, hidden: Hidden) -> Origins:
    """The hidden fields that this person may see."""
    return frozenset(
        (each.id, name)
        for each in records.collections()
        if (names := hidden(each.id))
        for name in names - access.scope_for(Actor("user", person), each.id, "read").hidden
    )


def ways_of_step(kind: StepType, view: StepView, content: list[dict[str, Any]] | None) -> tuple[Way, ...]:
    """Return the paths in the step's expressions and texts that are about the run's own record, input and steps."""
    written = [
        *((each, False) for each in kind.expressions(view.config)),
        *((each, True) for each in kind.templates(view.config)),
        *blocks.texts_of(blocks.parsed(content)),
    ]
    own = [
        (each.text, template)
        for each, template in written
        if each.relation is None and each.collection is None
    ]
    return tuple(way for text, template in own for way in _ways(text, template=template))


def _step(
    document: Workflow,
    kind: StepType,
    view: StepView,
    known: Mapping[str, Collection],
    done: Mapping[str, actions.Action],
) -> Step:
    config, own = view.config, known.get(document.collection or "")
    reads: dict[str, Taken] = {}
    places: dict[str, str] = {}
    figures: dict[str, Origin] = {}
    for read in kind.reads(view):
        collection = _read_from(read, own)
        if collection is None:
            continue
        if not read.own:
            collection = places[read.name] = f"{collection}{PLACE}{view.id}.{read.name}"
        if read.fields or not read.totals:
            reads[read.name] = Taken(collection, frozenset(read.fields))
        figures |= {total.name: (collection, total.field or KEY) for total in read.totals}
    outputs = kind.outputs(config)
    if LIST in reads and outputs is not None and "record" in outputs:
        reads["record"] = reads[LIST]
    figures |= {name: (document.collection or "", name) for name in kind.edits(view) if LIST not in reads}
    acts = [done[use.column] for use in kind.actions(config) if use.column is not None and use.column in done]
    for action in acts:
        reads |= _read_by_action(action, view, known, document.collection)
    places |= {
        name: taken.collection
        for name, taken in reads.items()
        if PLACE in taken.collection and name != "record"
    }
    content = document.step(view.id).content
    for path, target in followed(ways_of_step(kind, view, content), own, known).items():
        name = read_of_relation(path)
        places[name] = f"{target}{PLACE}{view.id}.{name}"
    texts = [
        *_texts(kind, config, outputs, own),
        *_acting(kind, view, acts, known, reads),
        *_shown(content),
    ]
    about = [
        name
        for name in reads
        if (name == LIST and kind.by_items) or name in {read_of_action(action.id) for action in acts}
    ]
    texts.append(Text(frozenset({SENT}), tuple(("steps", view.id, name) for name in about)))
    if kind.family == "llm":  # the answer of a model may contain everything that it was given
        texts.append(Text(frozenset({ANY}), tuple(("steps", view.id, name) for name in reads)))
    return Step(
        view.id,
        tuple(texts),
        reads,
        figures,
        _items(config, reads),
        kind.name == "start",
        kind.name,
        _declared(config),
        places,
    )


def _read_from(read: Read, own: Collection | None) -> str | None:
    """The collection that is read; None if it no longer exists."""
    if read.collection is not None:
        return read.collection
    if own is None:
        return None
    if read.relation is None:
        return own.id
    relation = own.relation(read.relation)
    return relation.collection if relation is not None else None


def _items(config: Any, reads: Mapping[str, Taken]) -> str | tuple[Way, ...] | None:
    entries = getattr(getattr(config, "items", None), "entries", None)
    return _ways(entries, template=False) if isinstance(entries, str) else LIST if LIST in reads else None


def _ways(text: str, *, template: bool) -> tuple[Way, ...]:
    try:
        return ways(text, template=template)
    except ExpressionError:
        return ()


def _texts(
    kind: StepType, config: Any, outputs: frozenset[str] | None, own: Collection | None
) -> Iterator[Text]:
    answered = kind.answered(config)
    echoed = answered | {SENT} if answered else answered
    for template, located in ((False, kind.expressions(config)), (True, kind.templates(config))):
        for each in located:
            names = made_at(each.field, config, outputs, template=template) | echoed
            names = kind.form_names(config, names)
            yield Text(names, _ways(each.text, template=template), _about(each, own), names_records=template)


def _shown(content: list[dict[str, Any]] | None) -> Iterator[Text]:
    """The texts of a step's blocks: each is a value of its own, named by its place. What is computed from the entry of a list is made of that list."""
    for each, template in blocks.texts_of(blocks.parsed(content)):
        found = _ways(each.text, template=template)
        listed = _ways(each.each, template=False) if each.each is not None else ()
        inside = [(*way, *rest) for name, *rest in found if name == OF_LIST for way in listed]
        yield Text(
            frozenset({masking.place_name(each.field)}),
            (*(way for way in found if way[0] != OF_LIST), *inside),
        )


def _about(text: Located, own: Collection | None) -> str | None:
    if text.collection is not None:
        return text.collection
    relation = own.relation(text.relation) if own is not None and text.relation is not None else None
    return relation.collection if relation is not None else None


def made_at(place: str, config: Any, outputs: frozenset[str] | None, *, template: bool) -> frozenset[str]:
    """Names in the step's output that an expression or template at this place of its settings computes; `ANY` if unknown."""
    names, last = _made_at(place, config, outputs, template=template), place.rpartition(".")[2]
    if SAID not in names:
        return names
    beside = (
        frozenset({HELP})
        if last == "help"
        else frozenset()
        if "must[" in place or last == "said"
        else frozenset({TEXT})
    )
    return names | (beside if place != "also" else {TEXT, HELP})


def _made_at(place: str, config: Any, outputs: frozenset[str] | None, *, template: bool) -> frozenset[str]:
    place = OFFERED.sub("", place)
    entry = ENTRY.fullmatch(place)
    if place == "also":
        return frozenset({FORM, SAID, ANY})
    last = re.split(r"[.\[]", re.sub(r"\[\d+\]$", "", place))[-1]
    if place == "record" and outputs is not None and RECORD in outputs:
        return frozenset({COMPARED, RECORD})
    if last in JUDGING or place.startswith(("branches[", "rules[")):
        return frozenset({COMPARED})
    if entry is not None:
        named = _named(config, entry[1], int(entry[2]))
        if last in READ or ".must[" in place:
            return frozenset({SAID})
        if entry[3].startswith("at_most"):
            return frozenset({LIMIT + named}) if named else frozenset({ANY})
        return frozenset({named}) if named else frozenset({SAID} if template else {ANY})
    if place.startswith("values."):
        return frozenset({place.removeprefix("values.").partition("[")[0]})
    if place == "items.entries":
        return frozenset({"title", "value"})
    if last in READ or template:
        return frozenset(
            {SAID, *({place} & {"title", *(outputs or ())}), *({ANY} if place == "prompt" else ())}
        )
    if place.startswith(("to.people", "people", "within", "hours", "days")):
        return frozenset({COMPARED})
    return frozenset(
        {
            place
            if outputs is not None and place in outputs
            else "until"
            if outputs and "until" in outputs
            else ANY
        }
    )


def _declared(config: Any) -> frozenset[str]:
    """Names of the fields and documents in the settings, and of those that every step of the type has."""
    entries = [entry for name in type(config).model_fields for entry in _listed(getattr(config, name))]
    return frozenset(
        {*(str(getattr(entry, "name", None) or getattr(entry, "id", "")) for entry in entries), *OWN}
    )


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _named(config: Any, part: str, place: int) -> str | None:
    """The name in the step's output of an entry in a list of settings."""
    entries = getattr(config, part, None)
    entry = entries[place] if isinstance(entries, list | tuple) and place < len(entries) else None
    found = next(
        (
            getattr(entry, name)
            for name in ("name", "field", "id")
            if isinstance(getattr(entry, name, None), str)
        ),
        None,
    )
    return str(found) if found is not None else None


def _read_by_action(
    action: actions.Action, view: StepView, known: Mapping[str, Collection], own: str | None
) -> Iterator[tuple[str, Taken]]:
    """(name, rows) of what the action reads beside the run's own record: its record, if the step names one, and related records."""
    about = known.get(action.collection or "")
    if about is None:
        return
    every = getattr(view.config, "offered", ())
    offered = next((each for each in every if each.action == action.id), view.config)
    if getattr(offered, "record", None) is not None or about.id != own:
        name = read_of_action(action.id)
        yield name, Taken(f"{about.id}{PLACE}{view.id}.{name}")
    for entry in action.related:
        relation, name = about.relation(entry.relation), read_of_action(action.id, entry.name)
        if relation is not None:
            yield name, Taken(f"{relation.collection}{PLACE}{view.id}.{name}", frozenset(entry.fields))


def _acting(
    kind: StepType,
    view: StepView,
    acts: Iterable[actions.Action],
    known: Mapping[str, Collection],
    reads: Mapping[str, Taken],
) -> Iterator[Text]:
    """The texts of the step's own effect, and of the actions that it names."""
    effect = getattr(view.config, "effect", None)
    if isinstance(effect, Kind):
        for text, template in actions.text_of(effect):
            yield Text(
                frozenset({SENT}), tuple(_own(way, view.id) for way in _ways(text.text, template=template))
            )
    for action in acts:
        own = known.get(action.collection or "")
        for text, template, _ in actions.texts(action):
            elsewhere = text.relation is None and read_of_action(action.id) in reads
            each_way = _ways(text.text, template=template)
            found = (
                _own(way, view.id)
                for each in each_way
                for way in _beside(each, action, view.id, elsewhere=elsewhere)
            )
            names = _of_action(text.field, action, template=template)
            yield Text(
                kind.form_names(view.config, names), tuple(found), _about(text, own) or action.collection
            )


def _own(way: Way, step: str) -> Way:
    """The path with `input`, the values of an action's form, replaced by the step's output."""
    return ("steps", step, *way[1:]) if way[0] == "input" else way


def _beside(way: Way, action: actions.Action, step: str, *, elsewhere: bool) -> Iterator[Way]:
    """The path with `related`, and with `elsewhere` also `record`, replaced by paths through the reads of the action."""
    if way[0] == "related":
        for entry in action.related:
            if way[1:2] in ((), (entry.name,)):
                yield ("steps", step, read_of_action(action.id, entry.name), *way[2:])
    elif way[0] == "record" and elsewhere:
        yield ("steps", step, read_of_action(action.id), *way[1:])
    else:
        yield way


def _of_action(place: str, action: actions.Action, *, template: bool) -> frozenset[str]:
    if place.startswith(("effects[", "compensation.")):
        return frozenset({SENT})
    if place == "done":
        return frozenset({SAID, TEXT, "message"})
    return made_at(place, action, frozenset(entry.name for entry in action.form), template=template)
