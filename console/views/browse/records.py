"""One record: its summary, fields and activity; changing a field, and starting a workflow."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from flask import Blueprint, Response, make_response, request
from markupsafe import Markup, escape

from console import actions, browse, runs, workflows
from console.actions import hand_forms
from console.auth import access
from console.automation import enrolments
from console.browse import RecordPage, reveal
from console.core.documents.collections import Field
from console.core.documents.fields import OWN_INPUT, fields_with_values
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound, SourceDown
from console.core.policy import rules
from console.documents import ARCHIVE
from console.records import governing
from console.runs import RunHead
from console.views import concurrent_changes, errors, formats, frame, home, refusals, states
from console.views.automation import enrolled
from console.views.browse import expiry, record_actions, reference_boxes
from console.views.browse.list_counts import tab_words
from console.views.browse.time_line import time_line
from console.views.documents.files import file_url
from console.views.formats import Look
from console.views.operations import erasure
from console.views.runs import form_boxes, panes, workspace_return
from console.views.runs.wait_words import waits_shortly
from console.views.start_words import about_start
from console.views.work import my_work, tasks
from console.work import due_times
from console.workflows import Definition

blueprint = Blueprint("records", __name__, url_prefix="/c")

RELATED_FIRST = 8
RELATED_PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """A field of the record. `edit` is the address of its form, None if it may not be changed; `reveal` is where a masked value is uncovered.

    `governed` names the workflows that alone change it, `start` is one of them that the reader may start here. `empty` if it has no value.
    """

    name: str
    label: str
    shown: Any
    edit: str | None
    reveal: str | None = None
    governed: str = ""
    start: "Start | None" = None
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """A workflow that may be started here; `asks` if it needs input first."""

    title: str
    href: str
    asks: bool
    slug: str = ""


@blueprint.get("/<collection>/<part>")
def show(collection: str, part: str) -> Response:
    """Show the record: its summary, or `?tab=activity`."""
    key = frame.key_of(part)
    page = browse.record(frame.actor(), collection, key, labels=True)
    look = frame.naming(page.named)
    tab = "activity" if request.args.get("tab") == "activity" else "summary"
    begun = runs_and_starts(page)
    context = record_context(page) | {
        **by_hand(page),
        "tab": tab,
        "tabs": tabs(frame.record_url(collection, key), tab),
        "badge_label": badge_of(page, look),
        "sections": sections(page, look, whole=True, starts=begun["starts"]) if tab == "summary" else [],
        **begun,
        "resuming": _resuming(),
    }
    if tab == "summary":
        context |= {
            "related": [
                _related_head(collection, key, relation.name, relation.label)
                for relation in browse.summary_relations(page.collection)
                if relation in page.relations
            ],
            "related_href": frame.record_url(collection, key) + "/related",
        }
    if tab == "activity":
        context |= time_line(collection, key, look)
    return frame.page("records/page.html", context)


@blueprint.get("/<collection>/<part>/menu")
def menu(collection: str, part: str) -> Response:
    """Show what can be done with the record, as the menu of its row or on its own page."""
    page = browse.record(frame.actor(), collection, frame.key_of(part))
    return frame.page(
        "records/menu.html",
        record_context(page) | runs_and_starts(page) | by_hand(page),
        blocks={"*": "menu"},
    )


@blueprint.get("/<collection>/<part>/related")
def all_related(collection: str, part: str) -> Response:
    """Show the first records of every relation of the summary, with how many each has."""
    key = frame.key_of(part)
    who, fragment = frame.actor(), frame.wants_fragment()
    page = None if fragment else browse.record(who, collection, key)
    context = {} if page is None else record_context(page)
    context["related"] = [
        _related_head(collection, key, list_.relation.name, list_.relation.label)
        | {
            "rows": panes.related(list_, frame.look()),
            "total": "" if list_.total is None else tab_words(list_.total, browse.MOST_IN_TAB),
            "more": bool(list_.next),
            "down": list_.down,
        }
        for list_ in browse.related_lists(who, collection, key, RELATED_FIRST)
    ]
    return frame.page("records/related_all.html", context, blocks={"*": "lists"})


def _related_head(collection: str, key: str | None, name: str, label: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "href": frame.record_url(collection, key) + f"/related/{frame.segment(name)}",
    }


@blueprint.get("/<collection>/<part>/related/<relation>")
def related(collection: str, part: str, relation: str) -> Response:
    """Show the records of a relation: the first few in the summary, or page by page on their own."""
    key, relation, fragment = frame.key_of(part), frame.key_of(relation), frame.wants_fragment()
    limit = RELATED_FIRST if fragment else RELATED_PAGE
    page = browse.related(frame.actor(), collection, key, relation, limit, request.args.get("after"))
    context = {"rows": panes.related(page, frame.look()), "fragment": fragment, "more": None}
    if fragment:
        context["more"] = (
            frame.record_url(collection, key) + f"/related/{frame.segment(relation)}" if page.next else None
        )
        return frame.page("records/related.html", context, blocks={"*": "rows"})
    context["more"] = frame.present_address(after=page.next) if page.next else None
    return frame.page(
        "records/related.html", context | record_context(browse.record(frame.actor(), collection, key))
    )


@blueprint.route("/<collection>/<part>/edit/<name>", methods=["GET", "POST"])
def edit(collection: str, part: str, name: str) -> Response:
    """Show the form of one field; a POST saves it if the field still has the value that the form began with."""
    key, name, look = frame.key_of(part), frame.key_of(name), frame.look()
    page = browse.record(frame.actor(), collection, key, labels=True)
    item = next((field for field in page.fields if field.name == name and editable(page, field)), None)
    if item is None:
        if (governor := page.governed.get(name)) is not None and (
            shut := next(field for field in page.fields if field.name == name)
        ):
            raise NotAllowed(
                governing.reason(shut, governor.words), need=(f"collection:{collection}", "update")
            )
        if (
            request.method == "POST"
            and (not page.may_update or name in page.fixed)
            and any(field.name == name for field in page.fields)
        ):
            raise NotAllowed(
                "You may not change this any more; nothing was saved.",
                need=(f"collection:{collection}", "update"),
            )
        raise NotFound
    now = page.record.values.get(name)
    if request.method != "POST":
        return _edit_form(page, item, now, old=now)
    value = form_boxes.read_form(request.form, look).get(name)
    try:
        old = json.loads(request.form.get("old", "null"))
    except ValueError:
        old = now
    try:
        after = browse.change(frame.actor(), collection, key, {name: value}, {name: old})
    except Conflict as conflict:
        [moved] = concurrent_changes.with_changers(conflict.details[:1] or [{}], collection, key)
        return _edit_form(page, item, value, old=moved.get("theirs", now), conflict=moved, status=409)
    except Invalid as wrong:
        return _edit_form(page, item, value, old=old, wrong=wrong, status=422)
    except SourceDown as down:
        return _edit_form(page, item, value, old=old, error=errors.error_message(down), status=409)
    if not frame.wants_fragment() or "/edit/" in request.headers.get(
        "HX-Current-URL", ""
    ):  # the form was on its own page
        return frame.redirect_to(frame.record_url(collection, key))
    line = _line(replace(page, record=after), item, look)
    return make_response(frame.render("records/value.html", {"line": line}))


@blueprint.route("/<collection>/<part>/start/<slug>", methods=["GET", "POST"])
def start(collection: str, part: str, slug: str) -> Response:
    """Ask for the input that the workflow needs, then start the run."""
    key = frame.key_of(part)
    page = browse.record(frame.actor(), collection, key)
    definition = next(
        (
            definition
            for definition in workflows.startable(frame.actor(), collection)
            if definition.slug == slug
        ),
        None,
    )
    if definition is None:
        raise NotFound("There is no such workflow for this record, or it is not yours to start.")
    fields = start_fields(definition, page)
    if request.method != "POST":
        return _start_form(page, definition, fields)
    typed = form_boxes.read_form(request.form, frame.look())
    try:
        run_id = enrolments.start(
            frame.actor(),
            definition.slug,
            collection,
            key,
            {name: value for name, value in typed.items() if value is not None},
        )
    except Invalid as wrong:
        return _start_form(page, definition, fields, typed=typed, wrong=wrong, status=422)
    except Conflict as conflict:
        return _start_form(page, definition, fields, typed=typed, wrong=conflict, status=409)
    workspace_return.note_start(run_id)
    return frame.redirect_to(frame.run_url(run_id))


def _resuming() -> str:
    """Return the id of the run that goes on by itself; empty unless a page of the console led here, so that no foreign link makes anybody take a run."""
    return (
        request.args.get(my_work.RESUMES, "")
        if request.headers.get("Sec-Fetch-Site") == "same-origin"
        else ""
    )


# -- what the pages draw


def record_context(page: RecordPage) -> dict[str, Any]:
    """Return what every page about the record needs."""
    return {
        "record": page.record,
        "collection": page.collection,
        "number": page.collection.number_of(page.record.values),
    }


def tabs(here: str, chosen: str) -> list[dict[str, Any]]:
    """Return the views of the record at this address; the Explorer is a page of its own."""
    hrefs = {
        "summary": here,
        "activity": f"{here}?tab=activity",
        "explorer": f"{here}/explorer",
    }
    return [
        {"label": name.capitalize(), "here": name == chosen, "href": href} for name, href in hrefs.items()
    ]


def by_hand(page: RecordPage) -> dict[str, str | None]:
    """Return the addresses of the forms for the record as a whole; None for what the reader may not."""
    url, who, keyed = (
        frame.record_url(page.collection.id, page.record.key),
        frame.actor(),
        page.record.key is not None,
    )
    return {
        "edit_href": f"{url}/edit" if any(editable(page, item) for item in page.fields) else None,
        "copy_href": new_url(page.collection.id, like=page.record.key)
        if keyed and hand_forms.may_create(who, page.collection)
        else None,
        "delete_href": f"{url}/delete" if keyed and hand_forms.may_delete(who, page.collection) else None,
    }


def new_url(collection: str, like: str | None = None) -> str:
    """Return the address of the form of a new record, or of a copy."""
    return frame.with_query("/new" + frame.collection_url(collection), {"like": like})


def may_resume(head: RunHead) -> bool:
    """Return whether the reader is offered to go on with a saved run. Resuming judges it again, with the step at which the run stands."""
    facts = {
        "id": head.id,
        "started_by": head.started_by,
        "holder": head.holder,
        "team": head.team,
        "version": head.version,
    }
    return head.status == "saved" and access.can(
        frame.actor(), head.team, f"workflow:{head.slug}", "resume", run=facts
    )


def runs_and_starts(page: RecordPage) -> dict[str, Any]:
    """Return the runs on the record, open ones first, and the workflows that may be started."""
    who, here = frame.actor(), frame.record_url(page.collection.id, page.record.key)
    heads = runs.on_record(who, page.collection.id, page.record.key or "")
    due, look = due_times.due_of(heads, partial(access.scope_for, who, act="read")), frame.look()
    drawn = [
        home.row(head) | {"may_resume": may_resume(head), "due": my_work.due_badge(due.get(head.id), look)}
        for head in heads
    ]
    live, action_workflows = (
        [row for row, head in zip(drawn, heads, strict=True) if head.live],
        actions.made_of_actions(),
    )
    busy = {head.workflow_id for head in heads if head.live}
    ready = [
        definition
        for definition in workflows.startable(who, page.collection.id, "record")
        if definition.slug not in action_workflows
    ]
    ready = [
        definition
        for definition in ready
        if definition.id not in busy or not definition.document.settings.exclusive
    ]
    offered = runs.taking(who, ready, page.collection.id, page.record.key)
    return {
        "runs": drawn,
        "tasks": tasks.on_record(heads),
        "live": live,
        "may_erase": erasure.offered(who, page.collection, page.record.key),
        "actions": record_actions.buttons(page.collection.id, page.record.key),
        "reports": [
            Start(definition.document.report.title, f"{here}/report/{definition.slug}", asks=True)
            for definition in runs.reportable(who, page.collection.id)
            if definition.document.report is not None
        ],
        "starts": [
            Start(
                definition.title,
                _start_url(page, definition),
                bool(definition.document.start.config.get("fields")),
                definition.slug,
            )
            for definition in offered
            if definition.document.run_as is None
        ],
        "enrols": [
            Start(
                definition.title,
                enrolled.enrol_url(definition.slug, [page.record.key or ""]),
                asks=True,
                slug=definition.slug,
            )
            for definition in offered
            if definition.document.run_as is not None
        ],
        "waits": waits_shortly(
            [head.id for head in heads if head.live and head.mode == "hands_off"], frame.look()
        ),
    }


def sections(
    page: RecordPage, look: Look, *, whole: bool, starts: Sequence[Start] = ()
) -> list[dict[str, Any]]:
    """Return the fields under their headings: those that the summary names, and as Details the others if it names none or `whole`. `starts` are the workflows that may be started."""
    details = page.collection.details
    by_name = {
        item.name: item for item in (*page.fields, *page.masked) if details is None or item.name in details
    }
    shown = [item for item in (*page.fields, *page.masked) if item.name in by_name]
    if details is not None:
        shown.sort(key=lambda item: details.index(item.name))
    made = [
        (part["label"], [by_name[name] for name in part["fields"] if name in by_name])
        for part in page.collection.summary.get("sections", ())
    ]
    placed = {name for part in page.collection.summary.get("sections", ()) for name in part["fields"]}
    if whole or not made:
        programs = {
            name
            for name in set(page.collection.key) - {*page.collection.columns}
            if page.collection.by_name[name].stored != "integer"
        }  # a key that no list shows
        made.append(("Details", [item for item in shown if item.name not in placed | programs]))
    return [
        {"label": label, "lines": [_line(page, item, look, starts) for item in items]}
        for label, items in made
        if items
    ]


def masked_line(page: RecordPage, item: Field) -> Line:
    """Return a masked field, with the link to uncover it for those who may."""
    may = page.record.key is not None and reveal.may_reveal(frame.actor(), page.collection.id)
    href = (
        frame.record_url(page.collection.id, page.record.key) + f"/reveal/{frame.segment(item.name)}"
        if may
        else None
    )
    return Line(item.name, item.label, states.MASKED, None, href)


def _line(page: RecordPage, item: Field, look: Look, starts: Sequence[Start] = ()) -> Line:
    if item in page.masked:
        return masked_line(page, item)
    value = formats.with_currencies(page.record.values, page.collection.currencies).get(item.name)
    what = formats.kind(item, page.collection.key)
    if why := page.record.wrong.get(item.name):
        return Line(item.name, item.label, Markup('<span class="error">{}</span>').format(why), None)
    if item.type == "file" and page.record.key is not None:
        drawn = _file(page, item, value)
    else:
        badge = item.name == page.collection.summary.get("badge") or item.widget == "badge"
        drawn = states.badge(what, value, look) if badge else formats.html(what, value, look)
        if expiry.is_expiry(what):
            drawn = expiry.line(what, value, look)
    governor, empty = (
        page.governed.get(item.name),
        formats.absent(value) and item.type != "binary",
    )  # bytes are never read
    if governor is not None:
        way = next((start for start in starts if start.slug in governor.slugs), None)
        return Line(item.name, item.label, drawn, None, governed=governor.words, start=way, empty=empty)
    return Line(
        item.name,
        item.label,
        drawn,
        _edit_url(page, item.name) if editable(page, item) else None,
        empty=empty,
    )


def _file(page: RecordPage, item: Field, value: Any) -> Markup:
    """Return the link to a file of the record; for an image also its first page."""
    if not value:
        return escape(f"{ARCHIVE}.")
    href = file_url(f"{page.collection.id}:{item.name}:{page.record.key}")
    if item.widget != "image":
        return Markup('<a href="{}">{}</a>').format(href, value)
    return Markup('<a href="{}"><img class="thumbnail" src="{}/page/1" alt="{}"></a>').format(
        href, href, value
    )


def editable(page: RecordPage, item: Field) -> bool:
    """Return whether the reader may change this field here."""
    offered = page.collection.form is None or item.name in page.collection.form
    return (
        offered
        and page.may_update
        and page.record.key is not None
        and not item.readonly
        and not item.governed
        and item.type not in formats.SHOWN_ONLY
        and item.name not in page.fixed
    )


def start_fields(definition: Definition, page: RecordPage) -> list[dict[str, Any]]:
    """Return the fields of the start step as a person sees them at first."""
    who = frame.actor()
    roots = {
        "record": page.record.values,
        "currentUser": who.attributes,
        "now": frame.look().now,
        **rules(definition.document, frame.look().now).roots,
        "steps": {},
        OWN_INPUT: {},
    }
    shown = fields_with_values(definition.document.start_fields, roots, {}, OWN_INPUT)
    return [field.to_json() for field in shown]


def badge_of(page: RecordPage, look: Look) -> frame.Badge | None:
    """Return the state in the head of the record; None without one."""
    name = page.collection.summary.get("badge")
    item = next((field for field in page.fields if field.name == name), None)
    if item is None or page.record.values.get(item.name) is None:
        return None
    value = page.record.values[item.name]
    return frame.Badge(formats.text(formats.kind(item), value, look), states.tone(str(value)))


# -- forms


def _edit_form(
    page: RecordPage,
    item: Field,
    value: Any,
    *,
    old: Any,
    conflict: Mapping[str, Any] | None = None,
    wrong: Invalid | None = None,
    error: str = "",
    status: int = 200,
) -> Response:
    detail = (
        next((detail for detail in wrong.details if detail.get("field") in (item.name, None)), None)
        if wrong
        else None
    )
    source = item.to_json() | {"required": item.needed, "now": None}
    context = record_context(page) | {
        "box": form_boxes.box(
            source, reference_boxes.look_for([source], {item.name: value}), value=value, error=detail
        ),
        "old": json.dumps(old),
        "conflict": conflict
        and (formats.text(formats.kind(item), old, frame.look()), conflict.get("reason", "")),
        "error": error or (wrong.message if wrong and not detail else ""),
        "action": _edit_url(page, item.name),
        "cancel": frame.record_url(page.collection.id, page.record.key),
        "target": frame.dom_id("value", item.name),
    }
    return frame.page("records/edit.html", context, blocks={"*": "value"}, status=status)


def _start_form(
    page: RecordPage,
    definition: Definition,
    fields: Sequence[Mapping[str, Any]],
    *,
    typed: Mapping[str, Any] | None = None,
    wrong: Invalid | Conflict | None = None,
    status: int = 200,
) -> Response:
    details = refusals.plain_details(wrong)
    labels = {str(field["name"]): str(field["label"]) for field in fields}
    context = record_context(page) | {
        "workflow": definition,
        "boxes": form_boxes.boxes(
            {"fields": fields}, reference_boxes.look_for(fields, typed), typed=typed, errors=details
        ),
        "action": _start_url(page, definition),
        "error": refusals.head(wrong, labels),
        "wrong": refusals.lines(details, labels, refusals.head(wrong, labels)),
        **about_start(definition.id, definition.document, alone=not fields),
        "live_run": wrong.extra.get("run_id") if wrong else None,
    }
    return frame.page("records/start.html", context, blocks={"*": "dialog"}, status=status)


def _start_url(page: RecordPage, definition: Definition) -> str:
    return frame.record_url(page.collection.id, page.record.key) + f"/start/{definition.slug}"


def _edit_url(page: RecordPage, name: str) -> str:
    return frame.record_url(page.collection.id, page.record.key) + f"/edit/{frame.segment(name)}"
