"""The right pane of a run beyond the record: the source of a proposed value, and everything that the steps have loaded."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import request
from markupsafe import Markup

from console import browse, runs, workflows
from console.auth import access
from console.browse import reveal
from console.core import expressions
from console.core.actor import Actor
from console.core.errors import NotFound, SourceDown
from console.core.run import SUPPLIED
from console.core.run.proposal import SECOND, is_second_call
from console.runs import RunView
from console.steps import llm
from console.views import formats, frame
from console.views.formats import Kind, Look
from console.views.runs import loaded_values, panes, source_links, step_values
from console.views.states import MASKED

MOST_SHOWN = 24
"""Values that are written out at first, those of the latest steps. The others are sent when their step is unfolded."""
ORIGINS = {llm.PERSON: Markup("a person"), llm.MODEL: Markup("the AI, without a person")}
GONE = "It is no longer there, or you may not see it."


@dataclass(frozen=True, slots=True)
class Quoted:
    """A source at the right: its text, the values around it with the relevant one marked, and the link to all of it."""

    title: str
    kind: str
    quote: str = ""
    sections: Sequence[panes.Section] = ()
    href: str = ""
    trusted: bool = True
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the run's context. `copied` is the text for the copy button; `reveal` is where a masked value is uncovered."""

    id: str
    label: str
    type: str
    shown: Markup
    copied: str = ""
    masked: bool = False
    reveal: str = ""
    technical: bool = False
    empty: bool = False


@dataclass(frozen=True, slots=True)
class LoadedStep:
    """What one step added to the context: when, by whom, or that it is missing. `technical` are values that only programs need; `fold` is where it is unfolded."""

    step: str
    title: str
    at: str | None
    by: str
    values: Sequence[Value] = ()
    technical: Sequence[Value] = ()
    missing: bool = False
    supplied: bool = False
    fold: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """The tab "Context": what each step loaded, and what the AI received for the open step."""

    steps: Sequence[LoadedStep] = ()
    given: Sequence[source_links.Way] = ()
    call: str = ""
    exact: str = ""


# -- a source


def source_asked_for(
    view: RunView, args: Mapping[str, str], reader: str
) -> tuple[Mapping[str, Any], str] | None:
    """Return (the source that the address names, the field whose value is based on it); None if this reader has no such source."""
    proposal = (view.json["current"] or {}).get("proposal")
    if "source" not in args or proposal is None or proposal["for"] != reader:
        return None
    if is_second_call(proposal, args.get("call", "")):
        proposal = proposal[SECOND]
    elif proposal["call"] != args.get("call", proposal["call"]):
        return None
    source = source_links.source_of(proposal, args.get("of", ""), args["source"])
    return (source, str(source.get("field") or "")) if source else None


def log_opened(actor: Actor, view: RunView, source: Mapping[str, Any]) -> None:
    """Log that the source was opened."""
    mark = {
        name: value
        for name, value in zip(("source", "collection", "key", "name", "page"), mark_of(source), strict=True)
        if value is not None
    }
    runs.source_opened(actor, view.json["id"], **mark)


def mark_of(source: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what the log records of an opened source: kind, collection, record, name (of a document or step, else its number), page."""
    name = source.get("document") or source.get("step") or (None if source.get("record") else source["id"])
    return (
        str(source.get("kind") or "source"),
        source.get("collection"),
        source.get("record"),
        name,
        source.get("page"),
    )


def quoted(
    view: RunView,
    actor: Actor,
    look: Look,
    source: Mapping[str, Any],
    name: str,
    states_of: Mapping[str, str],
) -> Quoted:
    """Return the source as it is shown at the right."""
    run = view.json
    described = step_values.of_version(run["workflow"]["id"], run["version"]).get(
        str(source.get("step")), step_values.NOTHING
    )
    quote = source_links.quote_words(source, described.kinds)
    base = Quoted(
        source_links.title_of(source),
        str(source.get("kind") or ""),
        quote,
        trusted=bool(source.get("trusted")),
    )
    if source.get("document"):
        return base
    if source.get("record") and source.get("collection"):
        return _of_record(view, actor, look, source, name, states_of, base)
    if source.get("step") in view.json["context"]:
        lines = [
            panes.Line(value.label, value.shown, name=value.id, marked=value.id == name)
            for value in _values(view, str(source["step"]), look, Masks.of(view, actor), plain=True)
        ]
        return replace(base, sections=[panes.Section("", lines)])
    return base


def _of_record(
    view: RunView,
    actor: Actor,
    look: Look,
    source: Mapping[str, Any],
    name: str,
    states_of: Mapping[str, str],
    base: Quoted,
) -> Quoted:
    collection, key = str(source["collection"]), str(source["record"])
    own_record = (view.screen or {}).get("record")
    href = frame.record_url(collection, key)
    if own_record and (own_record["collection"], str(own_record["key"])) == (collection, key):
        return replace(
            base,
            sections=panes.marked(panes.sections(own_record, look, state=states_of.get(collection)), name),
            href=href,
        )
    try:
        page = browse.record(actor, collection, key)
    except (NotFound, SourceDown) as error:
        return replace(base, why_not=error.message if isinstance(error, SourceDown) else GONE)
    values = formats.with_currencies(page.record.values, page.collection.currencies)
    masks = {item.name for item in page.masked}
    lines = [
        panes.Line(
            field.label,
            MASKED
            if field.name in masks
            else formats.html(formats.kind(field, page.collection.key), values.get(field.name), look),
            name=field.name,
        )
        for field in page.fields
    ]
    return replace(
        base, sections=panes.marked([panes.Section(page.collection.label_one, lines)], name), href=href
    )


# -- everything that was loaded


@dataclass(frozen=True, slots=True)
class Masks:
    """What is shown as dots: fields of the run's collection, and paths that this reader may not see."""

    fields: Mapping[str, str]
    paths: frozenset[str]
    collection: str
    record: str
    may: bool
    loading: loaded_values.Loading

    @classmethod
    def of(cls, view: RunView, actor: Actor) -> "Masks":
        """Return the masks for this reader."""
        collection, record = view.json["collection"] or "", view.json["record"] or ""
        fields = (
            {field.name: field.label for field in _masked_fields(actor, collection)} if collection else {}
        )
        may = bool(fields) and reveal.may_reveal(actor, collection)
        return cls(
            fields, frozenset(view.masked), collection, record, may, loaded_values.Loading.of(view, actor)
        )

    def hides(self, step: str, path: Sequence[str]) -> bool:
        """Return whether this value is shown as dots."""
        return path[-1] in self.fields or ".".join(("run.context", step, *path)) in self.paths

    def reveal(self, name: str) -> str:
        """Return the address to uncover the value; "" if this reader may not."""
        return (
            frame.record_url(self.collection, self.record) + f"/reveal/{frame.segment(name)}"
            if self.may and name in self.fields
            else ""
        )


def _masked_fields(actor: Actor, collection: str) -> Sequence[Any]:
    try:
        return browse.masked(actor, collection)
    except NotFound:
        return ()


def known_values(view: RunView, actor: Actor, look: Look) -> Known:
    """Return every value by the step that loaded it, the missing values by name, and what the AI received."""
    run, masks = view.json, Masks.of(view, actor)
    look = frame.naming(browse.names_of(actor, loaded_values.references(masks.loading, run["context"])), look)
    loaded = sorted(
        (_loaded(view, step, look, masks) for step in run["context"]),
        key=lambda loaded_step: loaded_step.at or "",
    )
    made = _folded([step for step in loaded if step.values or step.technical or step.missing], run["id"])
    proposal = (run["current"] or {}).get("proposal")
    if proposal is None:
        return Known(made)
    audits = access.can(actor, run["team"], "ai", "audit")
    exact = f"/settings/ai/calls/{proposal['call']}" if audits else ""
    own_proposal = proposal["for"] == actor.id
    given = (
        source_links.source_ways(
            run["id"], proposal, {"name": "", "sources": source_links.distinct(proposal)}
        )
        if own_proposal
        else []
    )
    return Known(made, given=given, call=str(proposal["call"]) if own_proposal else "", exact=exact)


def given_by(view: RunView, actor: Actor, look: Look, step: str) -> Sequence[Value]:
    """Return the values that this step gave, as this reader may see them; none where it has given nothing by then."""
    if step not in view.json["context"]:
        return ()
    masks = Masks.of(view, actor)
    look = frame.naming(
        browse.names_of(actor, loaded_values.references(masks.loading, {step: view.json["context"][step]})),
        look,
    )
    return _loaded(view, step, look, masks).values


def _folded(loaded: Sequence[LoadedStep], run_id: str) -> Sequence[LoadedStep]:
    """Return the steps, from the latest backwards folded where they no longer fit; the one that the address names is written out."""
    left, made = MOST_SHOWN, list[LoadedStep]()
    for step in reversed(loaded):
        fold = len(step.values) > left and step.step != request.args.get("loaded")
        left -= 0 if fold else len(step.values)
        made.append(
            replace(step, fold=frame.run_url(run_id, tab="context", loaded=step.step)) if fold else step
        )
    return made[::-1]


def _loaded(view: RunView, step: str, look: Look, masks: Masks) -> LoadedStep:
    of_step = [attempt for attempt in view.json["attempts"] if attempt["step"] == step]
    taken = [attempt for attempt in of_step if attempt["status"] in ("done", "performing")]
    last = next(
        iter((taken or of_step)[-1:]), None
    )  # one that failed leaves what went wrong, for the step that follows
    missing = view.json["context"][step].get("missing")
    values = list(_values(view, step, look, masks))
    return LoadedStep(
        step=step,
        title=last["title"] if last else step,
        at=last["completed_at"] if last else None,
        by=view.names.get(last["by"], "a former colleague") if last and last["by"] else "automatic",
        values=[value for value in values if not value.technical],
        technical=[value for value in values if value.technical],
        missing=runs.lacks_context(
            workflows.version(view.json["workflow"]["id"], view.json["version"]),
            step,
            view.json["context"][step],
        ),
        supplied=missing == SUPPLIED,
    )


def _values(view: RunView, step: str, look: Look, masks: Masks, *, plain: bool = False) -> Iterator[Value]:
    """Return the values of a step's output. `plain`: each is named by its own name, to mark one."""
    output = loaded_values.with_titles(masks.loading, step, view.json["context"][step])
    described = step_values.of_version(view.json["workflow"]["id"], view.json["version"]).get(
        step, step_values.NOTHING
    )
    for path, label, value in loaded_values.flat(masks.loading, step, output):
        name = path[-1]
        if path == ("to",) and value is None:  # a message to the contact's own address
            continue
        collection = masks.loading.collection(
            step, "record" if path[0] in (name, "record") else path[0], output
        )
        technical = path[0] in described.technical
        place = name if plain else frame.dom_id("loaded", step, *path)
        if path[0] == llm.REFERENCES and len(path) == loaded_values.ROW and name in described.kinds:
            hidden = masks.hides(step, path) or masks.hides(step, (name,))
            shown, text = (MASKED, "") if hidden else source_links.cited(view.json["id"], value)
            yield Value(place, described.kinds[name].label, "Rests on", shown, text, masked=hidden)
            continue
        if path == (llm.ORIGIN,) and value in ORIGINS:
            yield Value(place, "Answered by", "Text", ORIGINS[value], ORIGINS[value])
            continue
        is_item = loaded_values.is_item(value)
        own = is_item or loaded_values.is_child(value)
        if len(path) == loaded_values.ROW and isinstance(value, Mapping) and (collection is not None or own):
            if loaded_values.is_child(value):
                title, shown, text = loaded_values.child(value, look)
                yield Value(place, title or label, "Item", shown, text, technical=technical)
                continue
            shown, text = (
                loaded_values.item(value, described.kinds, collection, look)
                if is_item
                else loaded_values.row(collection, value, look)
            )
            yield Value(
                place, str(value["title"]) if is_item else label, "Record", shown, text, technical=technical
            )
            continue
        known = (described.kinds.get(name) if len(path) == 1 else None) or loaded_values.kinds(
            collection
        ).get(name)
        what, shown_value = _of_items(
            *((known, value) if known else formats.described(name, value, output)), output
        )
        if len(path) == 1 and not isinstance(shown_value, formats.Amount):
            shown_value = formats.with_currencies(output | {name: shown_value}, {name: what.currency})[name]
        if name in described.currencies and not isinstance(shown_value, formats.Amount):
            what, shown_value = _of_currency(
                what, shown_value, described.currencies[name], view.json["context"]
            )
        hidden = masks.hides(step, path)
        yield Value(
            id=place,
            label=known.label if known else label,
            type="Amount" if formats.is_money(what) else formats.TYPE_WORDS.get(what.type, "Text"),
            shown=MASKED if hidden else formats.html(what, shown_value, look),
            copied="" if hidden else formats.text(what, shown_value, look),
            masked=hidden,
            reveal=masks.reveal(name) if hidden else "",
            technical=technical,
            empty=not hidden and formats.absent(shown_value),
        )


def _of_currency(what: Kind, value: Any, currency: str, context: Mapping[str, Any]) -> tuple[Kind, Any]:
    """Return an amount with the currency that its form's expression gives, where the run holds it. `record` is what a step read of the run's own record."""
    own = next(
        (output["record"] for output in context.values() if "record" in output and "key" not in output), None
    )
    try:
        code = expressions.parse(currency).evaluate({"steps": context, "record": own})
    except expressions.ExpressionError:
        return what, value
    return (
        (replace(what, currency="currency"), formats.Amount(str(value), code))
        if isinstance(code, str) and value is not None
        else (what, value)
    )


def _of_items(what: Kind, value: Any, output: Mapping[str, Any]) -> tuple[Kind, Any]:
    """Return the titles of the items of a list for their keys."""
    titles = {
        str(item["key"]): str(item["title"])
        for item in output.get("items") or ()
        if loaded_values.is_item(item)
    }
    if isinstance(value, list) and value and all(str(item) in titles for item in value):
        return Kind(what.name, what.label, "array"), [titles[str(item)] for item in value]
    return what, value
