"""`/settings/collections`: how collections are displayed. A draft is edited beside its preview, its changes are reviewed, then it is published."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Blueprint, Response, flash, make_response, request
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from console import accounts, browse, collections, records as real_records
from console.collections import Editing
from console.core.documents.collections import FIELD_TYPES, FORMATS, LISTS, Collection, Field, treatment
from console.core.documents.collections.document_changes import Change, worded
from console.core.documents.json_shape import loaded
from console.errors import Conflict, ConsoleError, Invalid, NotAllowed, NotFound, SourceDown
from console.views import formats, frame, records, states
from console.views.settings import area, collection_forms

blueprint = Blueprint("collection_settings", __name__, url_prefix="/settings/collections")
NAME = "collections"
ORIGINS = {"found": "As it was before", "page": "By page", "file": "From a file"}


@blueprint.get("")
def show() -> Response:
    """Show every collection, by data source."""
    heads = collections.list_collections(frame.actor())
    names = accounts.names({head.draft_by for head in heads if head.draft_by})
    sources: dict[str, list[Any]] = {}
    for head in heads:
        sources.setdefault(head.collection.source, []).append(head)
    return area.page("settings/collections.html", NAME, {"sources": sources, "names": names})


@blueprint.route("/<collection>", methods=["GET", "POST"])
def show_collection(collection: str) -> Response:
    """Show the names and fields of a collection; a POST saves the draft."""
    editing = collections.open_collection(frame.actor(), collection)
    if request.method != "POST":
        return _editor(editing)
    try:
        document = collection_forms.merged(editing, request.form)
        collections.save(frame.actor(), collection, _revision(), document)
    except (Conflict, Invalid) as wrong:
        return _editor(editing, wrong=wrong, typed=request.form)
    if request.form.get("move"):
        return frame.redirect_to(f"{_url(collection)}#{frame.dom_id('field', request.form['move'].partition(':')[2])}")
    flash("Draft saved. It counts once it is published.")
    return frame.redirect_to(_url(collection))


@blueprint.post("/<collection>/preview")
def preview(collection: str) -> Response:
    """Render the form's content without saving it."""
    editing = collections.open_collection(frame.actor(), collection)
    try:
        becoming = collections.preview(frame.actor(), collection, collection_forms.merged(editing, request.form))
        wrong = ""
    except Invalid as error:
        becoming, wrong = editing.becoming, error.message
    return make_response(
        frame.render("settings/collection.html", _preview(becoming) | {"preview_wrong": wrong, "collection": becoming}, "preview")
    )


@blueprint.route("/<collection>/fields/<path:name>", methods=["GET", "POST"])
def field(collection: str, name: str) -> Response:
    """Show everything about one field; a POST saves it in the draft. A computed field can be removed."""
    editing = collections.open_collection(frame.actor(), collection)
    item = next((item for item in (*editing.becoming.stored_fields, *editing.becoming.computed_fields) if item.name == name), None)
    if item is None:
        raise NotFound
    if request.method != "POST":
        return _field(editing, item)
    document = editing.document.to_json()
    if request.form.get("do") == "remove" and item.computed is not None:
        _without(document, name)
    else:
        fields = document.setdefault("fields", {})
        fields[name] = collection_forms.field_document(request.form, fields.get(name, {}))
    return _saved(editing, document, _field, item)


@blueprint.route("/<collection>/new-field", methods=["GET", "POST"])
def new_field(collection: str) -> Response:
    """Show the form of a computed field: name and expression; a POST adds it to the draft."""
    editing = collections.open_collection(frame.actor(), collection)
    if request.method != "POST":
        return _field(editing, None)
    name, document = request.form.get("name", "").strip(), editing.document.to_json()
    if name in document.get("fields", {}) or not name:
        reason = f"There is a field {name} already." if name else "A field needs a name."
        return _field(editing, None, Invalid(reason, details=[{"field": "name", "reason": reason}]))
    document.setdefault("fields", {})[name] = {"computed": "", **collection_forms.field_document(request.form, {})}
    if "columns" in document:
        document["columns"].append(name)
    return _saved(editing, document, _field, None)


@blueprint.route("/<collection>/changes", methods=["GET", "POST"])
def changes(collection: str) -> Response:
    """Show what the draft changes; a POST publishes it, discards it, or undoes its last change."""
    editing = collections.open_collection(frame.actor(), collection)
    if request.method != "POST":
        return _changes(editing)
    try:
        return _decided(collection, request.form.get("do", ""))
    except (Conflict, Invalid) as wrong:
        return _changes(editing, wrong)


@blueprint.route("/<collection>/versions", methods=["GET", "POST"])
def versions(collection: str) -> Response:
    """Show the published versions; a POST makes an earlier one the draft."""
    editing = collections.open_collection(frame.actor(), collection)
    if request.method == "POST":
        try:
            collections.restore(frame.actor(), collection, request.form.get("number", 0, int), _revision())
        except (Conflict, Invalid) as wrong:
            return _versions(editing, wrong)
        flash("The former version is the draft now. Look at what changes, then publish it.")
        return frame.redirect_to(f"{_url(collection)}/changes")
    return _versions(editing)


@blueprint.route("/<collection>/document", methods=["GET", "POST"])
def document(collection: str) -> Response:
    """Show the whole document as text, with relations, segments, rules and summary."""
    editing = collections.open_collection(frame.actor(), collection)
    if request.method != "POST":
        return _document(editing, editing.document.canonical().decode())
    text = request.form.get("document", "").replace("\r\n", "\n")
    raw, loaded_document = loaded(text)
    try:
        if raw is None or loaded_document:
            raise Invalid(loaded_document[0].reason, details=[{"field": spot.path, "reason": spot.reason} for spot in loaded_document])
        collections.save(frame.actor(), collection, _revision(), raw)
    except (Conflict, Invalid) as wrong:
        return _document(editing, text, wrong)
    flash("Draft saved. It counts once it is published.")
    return frame.redirect_to(f"{_url(collection)}/changes")


@blueprint.get("/<collection>/document.json")
def download(collection: str) -> Response:
    """Download the published document, in the format of `console collection import`."""
    editing = collections.open_collection(frame.actor(), collection)
    answer = make_response(editing.live.canonical())
    answer.headers["Content-Type"] = "application/json; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{collection}.json"'
    return answer


# -- what the pages draw


def _url(collection: str) -> str:
    return f"/settings/collections/{collection}"


def _revision() -> int:
    return request.form.get("revision", -1, int)


def _context(editing: Editing, wrong: ConsoleError | None = None) -> dict[str, Any]:
    """Return what every page about one collection draws."""
    by = editing.draft.changed_by
    who = {by, str(wrong.extra.get("by"))} if wrong else {by}
    return {
        "editing": editing,
        "collection": editing.becoming,
        "url": _url(editing.collection.id),
        "names": accounts.names(who - {"", "None"}),
        "wrong": wrong,
        "theirs": [(detail["field"], worded(detail["theirs"])) for detail in wrong.details if "theirs" in detail] if wrong else [],
        "details": [detail for detail in wrong.details if "theirs" not in detail] if wrong else [],
    }


def _editor(editing: Editing, *, wrong: ConsoleError | None = None, typed: MultiDict[str, str] | None = None) -> Response:
    shown = collection_forms.rows(editing)
    values = {name: editing.document.to_json().get(name, "") for name in collection_forms.NAMES}
    if typed is not None:
        values |= {name: typed[name] for name in collection_forms.NAMES if name in typed}
    context = _context(editing, wrong) | _preview(editing.becoming) | {
        "rows": shown, "said": values, "typed": typed, "flags": collection_forms.FLAGS, "places": collection_forms.PLACES,
        "sortable": [(item.name, item.label) for item in editing.becoming.stored_fields if item.sortable and not item.hidden],
        "preview_wrong": "",
    }  # fmt: skip
    return area.page("settings/collection.html", NAME, context, status=wrong.status if wrong else 200)


def _saved(editing: Editing, document: Mapping[str, Any], drawn: Callable[..., Response], *more: Any) -> Response:
    """Save the draft and return to the fields; show the form again if it is refused."""
    try:
        collections.save(frame.actor(), editing.collection.id, _revision(), document)
    except (Conflict, Invalid) as wrong:
        return drawn(editing, *more, wrong)
    flash("Draft saved. It counts once it is published.")
    return frame.redirect_to(_url(editing.collection.id))


def _without(document: dict[str, Any], name: str) -> None:
    """Return the document without a computed field and without references to it."""
    document.get("fields", {}).pop(name, None)
    for place in LISTS:
        if place in document:
            document[place] = [field_name for field_name in document[place] if field_name != name]
    for section in document.get("summary", {}).get("sections", ()):
        section["fields"] = [field_name for field_name in section["fields"] if field_name != name]


def _field(editing: Editing, item: Field | None, wrong: ConsoleError | None = None) -> Response:
    """Show the form of one field; `item` None is a new computed field."""
    settings = editing.document.to_json().get("fields", {}).get(item.name, {}) if item else {}
    if wrong:
        settings = collection_forms.field_document(request.form, settings)
    drawn = item or Field("", "", "text", "text", computed="")
    others = [item for item in editing.becoming.stored_fields if item.stored == "text"]
    context = _context(editing, wrong) | {
        "item": item, "drawn": drawn, "said": settings, "typed_name": request.form.get("name", ""), "flags": collection_forms.FLAGS,
        "types": _same(sorted(FIELD_TYPES)), "widgets": collection_forms.offered(drawn) if item else collection_forms.every_widget(), "formats": _same(FORMATS),
        "options_text": collection_forms.options_text(settings.get("options")), "rules": [*settings.get("validation", []), {"if": "", "message": ""}],
        "currencies": [text_field.name for text_field in others], "targets": _same(collection.id for collection in real_records.collections()), "ai_words": collection_forms.AI_WORDS,
        "ai_closed": treatment.secret(drawn.name, drawn.stored), "ai_usual": drawn.ai,
    }  # fmt: skip
    return area.page("settings/collection_field.html", NAME, context, status=wrong.status if wrong else 200)


def _same(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return the choices whose labels are their values."""
    return [(name, name.replace("_", " ") if "." not in name else name) for name in names]


def _changes(editing: Editing, wrong: ConsoleError | None = None) -> Response:
    labels = {item.name: item.label for item in (*editing.becoming.stored_fields, *editing.becoming.computed_fields)}
    lines = [
        (_place_words(change, labels), _content_words(change, change.before, labels), _content_words(change, change.after, labels))
        for change in editing.changes
    ]
    return area.page(
        "settings/collection_changes.html", NAME, _context(editing, wrong) | {"changes": lines}, status=wrong.status if wrong else 200
    )


PLACE_WORDS = {
    "columns": "Columns of the list", "details": "Fields of the details", "form": "Fields of the form", "label": "Name", "label_one": "Name of one",
    "help": "Help", "title": "Title of a record", "subject": "Whose data", "sort": "Order of the list", "search": "Quick search", "key": "Key",
    "summary": "Summary", "segments": "Segment", "relations": "Relation", "validation": "Rules of a record",
}  # fmt: skip


def _place_words(change: Change, labels: Mapping[str, str]) -> str:
    """Return the place of a change in words: "E-mail: label"."""
    head, *rest = change.place
    if head == "fields" and rest:
        return ": ".join([labels.get(rest[0], rest[0]), " ".join(rest[1:]) or "everything said of it"])
    return " ".join([PLACE_WORDS.get(head, head), *rest])


def _content_words(change: Change, content: Any, labels: Mapping[str, str]) -> str:
    """Return the content of a place in words, fields by their labels."""
    if change.place[0] in (*LISTS, "search", "key") and isinstance(content, list):
        return ", ".join(labels.get(name, name) for name in content) or "no field"
    return worded(content)


def _decided(collection: str, do: str) -> Response:
    actor, revision = frame.actor(), _revision()
    match do:
        case "publish":
            number = collections.publish(actor, collection, revision, request.form.get("live"))
            flash(f"Version {number} is published.")
        case "undo":
            collections.undo(actor, collection, revision)
            flash("The last change of the draft is taken back.")
        case "discard":
            collections.discard(actor, collection, revision)
            flash("The draft is thrown away.")
        case _:
            raise NotFound
    return frame.redirect_to(_url(collection))


def _versions(editing: Editing, wrong: ConsoleError | None = None) -> Response:
    versions = collections.versions(frame.actor(), editing.collection.id)
    context = _context(editing, wrong) | {"versions": versions, "origins": ORIGINS}
    context["names"] = accounts.names({version.made_by for version in versions})
    return area.page("settings/collection_versions.html", NAME, context, status=wrong.status if wrong else 200)


def _document(editing: Editing, text: str, wrong: ConsoleError | None = None) -> Response:
    context = _context(editing, wrong) | {"text": text}
    return area.page("settings/collection_document.html", NAME, context, status=wrong.status if wrong else 200)


def _preview(becoming: Collection) -> dict[str, Any]:
    """Return a list row and the summary of a real record as the draft would render them; the reason if the editor may see no record."""
    look = frame.look()
    try:
        sample = browse.sample(frame.actor(), becoming)
    except (NotAllowed, NotFound):
        return {"sample": None, "sample_why": "You may not browse these records, so that none is shown here."}
    except SourceDown as down:
        return {"sample": None, "sample_why": down.message}
    if sample is None:
        return {"sample": None, "sample_why": "There is no record yet that could be shown here."}
    columns = [item for item in sample.fields if item.name in becoming.columns and (item.name,) != becoming.title_fields]
    columns.sort(key=lambda item: becoming.columns.index(item.name))
    state = becoming.summary.get("badge")
    cells = [
        (states.cell if item.name == state else formats.cell)(formats.kind(item, becoming.key), look)(sample.record.values.get(item.name))
        for item in columns
    ]
    return {
        "sample": sample.record,
        "sample_columns": [item.label for item in columns],
        "sample_cells": Markup("".join(cells)),  # noqa: S704 (cells escape their values)
        "sample_sections": records.sections(sample, look, whole=False),
    }
