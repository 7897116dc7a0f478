"""One record: its summary, all its fields, what happened to it; changing a field, and starting a workflow on it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, make_response, request
from markupsafe import Markup, escape

from console import actions, activity, browse, runs, workflows
from console.browse import RecordPage, reveal
from console.core.documents.collections import Field
from console.core.documents.fields import OWN_INPUT, FieldDefinition, shown
from console.core.policy import rules
from console.documents import ARCHIVE
from console.errors import Conflict, Invalid, NotAllowed, NotFound, SourceDown
from console.views import erasure, errors, formats, frame, home, record_actions, refusals, states
from console.views.activity import entries
from console.views.files import file_url
from console.views.formats import Look
from console.views.run import panes
from console.workflows import Definition

blueprint = Blueprint("records", __name__, url_prefix="/c")

RELATED_FIRST = 8
MASKED = Markup('<span class="muted"><span aria-hidden="true">••••••</span><span class="vh">masked</span></span>')
RELATED_PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """A field of the record; `edit` is where its form is, None where it may not be changed; `reveal` where a masked value is uncovered."""

    name: str
    label: str
    shown: Any
    edit: str | None
    reveal: str | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """A workflow that may be started here; `asks` where something has to be said first."""

    title: str
    href: str
    asks: bool


@blueprint.get("/<collection>/<path:part>")
def show(collection: str, part: str) -> Response:
    """The record: `?tab=` summary, details or activity."""
    key, look = frame.key_of(part), frame.look()
    found = browse.record(frame.actor(), collection, key, labels=True)
    tab = request.args.get("tab", "")
    tab = tab if tab in ("summary", "details", "activity") else "summary"
    context = named(found) | {
        "tab": tab,
        "tabs": [
            {
                "label": name.capitalize(),
                "here": name == tab,
                "href": frame.record_url(collection, key, tab=None if name == "summary" else name),
            }
            for name in ("summary", "details", "activity")
        ],
        "badge_label": _badge(found, look),
        "sections": sections(found, look, whole=tab == "details") if tab != "activity" else [],
        **on_it(found),
    }
    if tab == "summary":
        context |= {"related": [{"name": one.name, "label": one.label, "href": _related_url(found, one.name)} for one in _to_show(found)]}
    if tab == "activity":
        log = activity.on_record(frame.actor(), collection, key, limit=50, after=request.args.get("after"), looks=True)
        context |= {"entries": entries(log.rows, look), "older": frame.present_address(after=log.next) if log.next else None}
    return frame.page("records/page.html", context)


@blueprint.get("/<collection>/<path:part>/menu")
def menu(collection: str, part: str) -> Response:
    """What can be done with the record: the menu of its row, or a page of its own."""
    found = browse.record(frame.actor(), collection, frame.key_of(part))
    return frame.page("records/menu.html", named(found) | on_it(found), blocks={"*": "menu"})


@blueprint.get("/<collection>/<path:part>/related/<relation>")
def related(collection: str, part: str, relation: str) -> Response:
    """The records that a relation leads to: the first few within the summary, or page by page on their own."""
    key, relation, fragment = frame.key_of(part), frame.key_of(relation), frame.wants_fragment()
    limit = RELATED_FIRST if fragment else RELATED_PAGE
    found = browse.related(frame.actor(), collection, key, relation, limit, request.args.get("after"))
    context = {"rows": panes.related(found, frame.look()), "fragment": fragment, "more": None}
    if fragment:
        context["more"] = frame.record_url(collection, key) + f"/related/{frame.segment(relation)}" if found.next else None
        return frame.page("records/related.html", context, blocks={"*": "rows"})
    context["more"] = frame.present_address(after=found.next) if found.next else None
    return frame.page("records/related.html", context | named(browse.record(frame.actor(), collection, key)))


@blueprint.route("/<collection>/<path:part>/edit/<name>", methods=["GET", "POST"])
def edit(collection: str, part: str, name: str) -> Response:
    """The form of one field; sent, it is saved if the field still holds what the form began with."""
    key, name, look = frame.key_of(part), frame.key_of(name), frame.look()
    found = browse.record(frame.actor(), collection, key, labels=True)
    item = next((one for one in found.fields if one.name == name and editable(found, one)), None)
    if item is None:
        if request.method == "POST" and (not found.may_update or name in found.fixed) and any(one.name == name for one in found.fields):
            raise NotAllowed("You may not change this any more; nothing was saved.", need=(f"collection:{collection}", "update"))
        raise NotFound
    now = found.record.values.get(name)
    if request.method != "POST":
        return _edit_form(found, item, now, old=now)
    value = panes.read_form(request.form, look).get(name)
    try:
        old = json.loads(request.form.get("old", "null"))
    except ValueError:
        old = now
    try:
        after = browse.change(frame.actor(), collection, key, {name: value}, {name: old})
    except Conflict as conflict:
        theirs = next((detail.get("theirs") for detail in conflict.details if detail.get("field") == name), now)
        return _edit_form(found, item, value, old=theirs, conflict=formats.text(formats.kind(item), theirs, look), status=409)
    except Invalid as wrong:
        return _edit_form(found, item, value, old=old, wrong=wrong, status=422)
    except SourceDown as down:
        return _edit_form(found, item, value, old=old, error=errors.error_message(down), status=409)
    if not frame.wants_fragment() or "/edit/" in request.headers.get("HX-Current-URL", ""):  # the form stood on a page of its own
        return frame.moved(frame.record_url(collection, key))
    line = _line(replace(found, record=after), item, look)
    return make_response(frame.render("records/value.html", {"line": line}))


@blueprint.route("/<collection>/<path:part>/start/<slug>", methods=["GET", "POST"])
def start(collection: str, part: str, slug: str) -> Response:
    """What the workflow asks before it begins; then the run."""
    key = frame.key_of(part)
    found = browse.record(frame.actor(), collection, key)
    definition = next((one for one in workflows.startable(frame.actor(), collection) if one.slug == slug), None)
    if definition is None:
        raise NotFound("There is no such workflow for this record, or it is not yours to start.")
    fields = start_fields(definition, found)
    if request.method != "POST":
        return _start_form(found, definition, fields)
    typed = panes.read_form(request.form, frame.look())
    try:
        run_id = runs.start(
            frame.actor(), definition.slug, collection, key, {name: value for name, value in typed.items() if value is not None}
        )
    except Invalid as wrong:
        return _start_form(found, definition, fields, typed=typed, wrong=wrong, status=422)
    except Conflict as conflict:
        return _start_form(found, definition, fields, typed=typed, wrong=conflict, status=409)
    return frame.moved(frame.run_url(run_id))


# -- what the pages draw


def named(found: RecordPage) -> dict[str, Any]:
    """What every page about the record shows of it."""
    return {"record": found.record, "collection": found.collection}


def on_it(found: RecordPage) -> dict[str, Any]:
    """Runs on the record, those that are open first to be gone on with, and what may be started."""
    who = frame.actor()
    heads = runs.on_record(who, found.collection.id, found.record.key or "")
    drawn = [home.row(head) | {"may_resume": head.status == "saved"} for head in heads]
    live = [one for one, head in zip(drawn, heads, strict=True) if head.live]
    own = actions.made_of_actions()
    busy = {head.workflow_id for head in heads if head.live}
    ready = [one for one in workflows.startable(who, found.collection.id) if one.slug not in own]
    offered = [one for one in ready if one.id not in busy or not one.document.settings.exclusive]
    return {
        "runs": drawn,
        "live": live,
        "may_erase": erasure.offered(who, found.collection, found.record.key),
        "actions": record_actions.buttons(found.collection.id, found.record.key),
        "reports": [
            Start(one.document.report.title, f"{frame.record_url(found.collection.id, found.record.key)}/report/{one.slug}", asks=True)
            for one in runs.reportable(who, found.collection.id)
            if one.document.report is not None
        ],
        "starts": [Start(one.title, _start_url(found, one), bool(one.document.start.config.get("fields"))) for one in offered],
    }


def sections(found: RecordPage, look: Look, *, whole: bool) -> list[dict[str, Any]]:
    """The fields under their headings; the summary shows what its document names, the details everything."""
    details = found.collection.details
    by_name = {item.name: item for item in (*found.fields, *found.masked) if details is None or item.name in details}
    shown = [item for item in (*found.fields, *found.masked) if item.name in by_name]
    if details is not None:
        shown.sort(key=lambda item: details.index(item.name))
    made = [
        {"label": part["label"], "lines": [_line(found, by_name[name], look) for name in part["fields"] if name in by_name]}
        for part in found.collection.summary.get("sections", ())
    ]
    placed = {name for part in found.collection.summary.get("sections", ()) for name in part["fields"]}
    if whole or not made:
        made.append(
            {
                "label": "Other fields" if made else "",
                "lines": [_line(found, item, look) for item in shown if item.name not in placed],
            }
        )
    return [section for section in made if section["lines"]]


def masked_line(found: RecordPage, item: Field) -> Line:
    """A field whose value is masked, with the way to uncover it for who may."""
    may = found.record.key is not None and reveal.may_reveal(frame.actor(), found.collection.id)
    href = frame.record_url(found.collection.id, found.record.key) + f"/reveal/{frame.segment(item.name)}" if may else None
    return Line(item.name, item.label, MASKED, None, href)


def _line(found: RecordPage, item: Field, look: Look) -> Line:
    if item in found.masked:
        return masked_line(found, item)
    value = formats.with_currencies(found.record.values, found.collection.currencies).get(item.name)
    what = formats.kind(item, found.collection.key)
    if why := found.record.wrong.get(item.name):
        return Line(item.name, item.label, Markup('<span class="error">{}</span>').format(why), None)
    title = found.titles.get(item.name, {}).get(str(value))
    if title is not None and item.references:
        drawn = formats.linked(title, frame.record_url(item.references, value))
    elif item.type == "file" and found.record.key is not None:
        drawn = _file(found, item, value)
    else:
        badge = item.name == found.collection.summary.get("badge") or item.widget == "badge"
        drawn = states.badge(what, value, look) if badge else formats.html(what, value, look)
    return Line(item.name, item.label, drawn, _edit_url(found, item.name) if editable(found, item) else None)


def _file(found: RecordPage, item: Field, value: Any) -> Markup:
    """The way to a file of the record; of an image its first page."""
    if not value:
        return escape(f"{ARCHIVE}.")
    href = file_url(f"{found.collection.id}:{item.name}:{found.record.key}")
    if item.widget != "image":
        return formats.linked(str(value), href)
    return Markup('<a href="{}"><img class="thumbnail" src="{}/page/1" alt="{}"></a>').format(href, href, value)


def editable(found: RecordPage, item: Field) -> bool:
    """Whether the reader may change this field here."""
    offered = found.collection.form is None or item.name in found.collection.form
    return (
        offered
        and found.may_update
        and found.record.key is not None
        and not item.readonly
        and item.type not in formats.SHOWN_ONLY
        and item.name not in found.fixed
    )


def start_fields(definition: Definition, found: RecordPage) -> list[dict[str, Any]]:
    """The fields that the start step asks for, as a person sees them before anything is typed."""
    defined = [FieldDefinition.model_validate(one) for one in definition.document.start.config.get("fields", ())]
    who = frame.actor()
    roots = {
        "record": found.record.values,
        "currentUser": who.attributes,
        "now": frame.look().now,
        **rules(definition.document, frame.look().now).roots,
        "steps": {},
        OWN_INPUT: {},
    }
    return [field.to_json() for field in shown(defined, roots, {}, OWN_INPUT)]


def _to_show(found: RecordPage) -> Sequence[Any]:
    """Relations in the order of the summary's document; without one, those that lead to many."""
    named_there = [one["relation"] for one in found.collection.summary.get("related", ())]
    by_name = {one.name: one for one in found.relations}
    return [by_name[name] for name in named_there if name in by_name] or [one for one in found.relations if one.kind == "to_many"]


def _badge(found: RecordPage, look: Look) -> frame.Badge | None:
    name = found.collection.summary.get("badge")
    item = next((one for one in found.fields if one.name == name), None)
    if item is None or found.record.values.get(item.name) is None:
        return None
    value = found.record.values[item.name]
    return frame.Badge(formats.text(formats.kind(item), value, look), states.tone(str(value)))


# -- forms


def _edit_form(
    found: RecordPage,
    item: Field,
    value: Any,
    *,
    old: Any,
    conflict: str | None = None,
    wrong: Invalid | None = None,
    error: str = "",
    status: int = 200,
) -> Response:
    detail = next((one for one in wrong.details if one.get("field") in (item.name, None)), None) if wrong else None
    source = item.to_json() | {"required": item.required or not item.nullable, "now": None}
    context = named(found) | {
        "box": panes.box(source, frame.look(), value=value, error=detail),
        "old": json.dumps(old),
        "conflict": conflict,
        "error": error or (wrong.message if wrong and not detail else ""),
        "action": _edit_url(found, item.name),
        "cancel": frame.record_url(found.collection.id, found.record.key, tab="details"),
        "target": frame.dom_id("value", item.name),
    }
    return frame.page("records/edit.html", context, blocks={"*": "value"}, status=status)


def _start_form(
    found: RecordPage,
    definition: Definition,
    fields: Sequence[Mapping[str, Any]],
    *,
    typed: Mapping[str, Any] | None = None,
    wrong: Invalid | Conflict | None = None,
    status: int = 200,
) -> Response:
    details = [{**one, "field": refusals.plain(str(one.get("field", "")))} for one in wrong.details] if wrong else []
    labels = {str(field["name"]): str(field["label"]) for field in fields}
    context = named(found) | {
        "workflow": definition,
        "boxes": panes.boxes({"fields": fields}, frame.look(), typed=typed, errors=details),
        "action": _start_url(found, definition),
        "error": refusals.head(wrong, labels),
        "wrong": refusals.lines(details, labels),
        "live_run": wrong.extra.get("run_id") if wrong else None,
    }
    return frame.page("records/start.html", context, blocks={"*": "dialog"}, status=status)


def _start_url(found: RecordPage, definition: Definition) -> str:
    return frame.record_url(found.collection.id, found.record.key) + f"/start/{definition.slug}"


def _edit_url(found: RecordPage, name: str) -> str:
    return frame.record_url(found.collection.id, found.record.key) + f"/edit/{frame.segment(name)}"


def _related_url(found: RecordPage, relation: str) -> str:
    return frame.record_url(found.collection.id, found.record.key) + f"/related/{frame.segment(relation)}"
