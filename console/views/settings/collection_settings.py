"""`/settings/collections`: how collections are shown. A draft is edited beside its preview; changes are looked at, then published."""

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
    """Every collection, by data source."""
    heads = collections.list_collections(frame.actor())
    names = accounts.names({head.draft_by for head in heads if head.draft_by})
    sources: dict[str, list[Any]] = {}
    for head in heads:
        sources.setdefault(head.collection.source, []).append(head)
    return area.page("settings/collections.html", NAME, {"sources": sources, "names": names})


@blueprint.route("/<collection>", methods=["GET", "POST"])
def show_collection(collection: str) -> Response:
    """The names and fields of a collection; sent, they are the draft."""
    editing = collections.open_collection(frame.actor(), collection)
    if request.method != "POST":
        return _editor(editing)
    try:
        document = collection_forms.merged(editing, request.form)
        collections.save(frame.actor(), collection, _revision(), document)
    except (Conflict, Invalid) as wrong:
        return _editor(editing, wrong=wrong, typed=request.form)
    if request.form.get("move"):
        return frame.moved(f"{_url(collection)}#{frame.dom_id('field', request.form['move'].partition(':')[2])}")
    flash("Draft saved. It counts once it is published.")
    return frame.moved(_url(collection))


@blueprint.post("/<collection>/preview")
def preview(collection: str) -> Response:
    """What the form would come to, drawn and kept nowhere."""
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
    """Everything that is said of one field; sent, it is part of the draft. A computed field can be taken away."""
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
        said = document.setdefault("fields", {})
        said[name] = collection_forms.field_document(request.form, said.get(name, {}))
    return _saved(editing, document, _field, item)


@blueprint.route("/<collection>/new-field", methods=["GET", "POST"])
def new_field(collection: str) -> Response:
    """A field that no column holds: its name and its expression; sent, it is part of the draft."""
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
    """What the draft changes; sent, it is published, thrown away, or its last change is taken back."""
    editing = collections.open_collection(frame.actor(), collection)
    if request.method != "POST":
        return _changes(editing)
    try:
        return _decided(collection, request.form.get("do", ""))
    except (Conflict, Invalid) as wrong:
        return _changes(editing, wrong)


@blueprint.route("/<collection>/versions", methods=["GET", "POST"])
def versions(collection: str) -> Response:
    """What was published; sent, a former version becomes the draft."""
    editing = collections.open_collection(frame.actor(), collection)
    if request.method == "POST":
        try:
            collections.restore(frame.actor(), collection, request.form.get("number", 0, int), _revision())
        except (Conflict, Invalid) as wrong:
            return _versions(editing, wrong)
        flash("The former version is the draft now. Look at what changes, then publish it.")
        return frame.moved(f"{_url(collection)}/changes")
    return _versions(editing)


@blueprint.route("/<collection>/document", methods=["GET", "POST"])
def document(collection: str) -> Response:
    """The whole document as text: relations, segments, rules and the summary too."""
    editing = collections.open_collection(frame.actor(), collection)
    if request.method != "POST":
        return _document(editing, editing.document.canonical().decode())
    text = request.form.get("document", "").replace("\r\n", "\n")
    raw, found = loaded(text)
    try:
        if raw is None or found:
            raise Invalid(found[0].reason, details=[{"field": spot.path, "reason": spot.reason} for spot in found])
        collections.save(frame.actor(), collection, _revision(), raw)
    except (Conflict, Invalid) as wrong:
        return _document(editing, text, wrong)
    flash("Draft saved. It counts once it is published.")
    return frame.moved(f"{_url(collection)}/changes")


@blueprint.get("/<collection>/document.json")
def download(collection: str) -> Response:
    """What counts, as the file that `console collection import` reads."""
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


def _head(editing: Editing, wrong: ConsoleError | None = None) -> dict[str, Any]:
    """What every page about one collection has."""
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
    said = {name: editing.document.to_json().get(name, "") for name in collection_forms.NAMES}
    if typed is not None:
        said |= {name: typed[name] for name in collection_forms.NAMES if name in typed}
    context = _head(editing, wrong) | _preview(editing.becoming) | {
        "rows": shown, "said": said, "typed": typed, "flags": collection_forms.FLAGS, "places": collection_forms.PLACES,
        "sortable": [(item.name, item.label) for item in editing.becoming.stored_fields if item.sortable and not item.hidden],
        "preview_wrong": "",
    }  # fmt: skip
    return area.page("settings/collection.html", NAME, context, status=wrong.status if wrong else 200)


def _saved(editing: Editing, document: Mapping[str, Any], drawn: Callable[..., Response], *more: Any) -> Response:
    """The draft with this document, and back to the fields; the form again where it is refused."""
    try:
        collections.save(frame.actor(), editing.collection.id, _revision(), document)
    except (Conflict, Invalid) as wrong:
        return drawn(editing, *more, wrong)
    flash("Draft saved. It counts once it is published.")
    return frame.moved(_url(editing.collection.id))


def _without(document: dict[str, Any], name: str) -> None:
    """The document without a computed field, wherever it is named."""
    document.get("fields", {}).pop(name, None)
    for place in LISTS:
        if place in document:
            document[place] = [one for one in document[place] if one != name]
    for section in document.get("summary", {}).get("sections", ()):
        section["fields"] = [one for one in section["fields"] if one != name]


def _field(editing: Editing, item: Field | None, wrong: ConsoleError | None = None) -> Response:
    """The form of one field; `item` None is a new computed one."""
    said = editing.document.to_json().get("fields", {}).get(item.name, {}) if item else {}
    if wrong:
        said = collection_forms.field_document(request.form, said)
    drawn = item or Field("", "", "text", "text", computed="")
    others = [one for one in editing.becoming.stored_fields if one.stored == "text"]
    context = _head(editing, wrong) | {
        "item": item, "drawn": drawn, "said": said, "typed_name": request.form.get("name", ""), "flags": collection_forms.FLAGS,
        "types": _same(sorted(FIELD_TYPES)), "widgets": collection_forms.offered(drawn) if item else collection_forms.every_widget(), "formats": _same(FORMATS),
        "options_text": collection_forms.options_text(said.get("options")), "rules": [*said.get("validation", []), {"if": "", "message": ""}],
        "currencies": [one.name for one in others], "targets": _same(one.id for one in real_records.collections()), "ai_words": collection_forms.AI_WORDS,
        "ai_closed": treatment.secret(drawn.name, drawn.stored), "ai_usual": drawn.ai,
    }  # fmt: skip
    return area.page("settings/collection_field.html", NAME, context, status=wrong.status if wrong else 200)


def _same(names: Iterable[str]) -> list[tuple[str, str]]:
    """Choices whose words are their values."""
    return [(name, name.replace("_", " ") if "." not in name else name) for name in names]


def _changes(editing: Editing, wrong: ConsoleError | None = None) -> Response:
    labels = {item.name: item.label for item in (*editing.becoming.stored_fields, *editing.becoming.computed_fields)}
    told = [
        (_place(change, labels), _words(change, change.before, labels), _words(change, change.after, labels)) for change in editing.changes
    ]
    return area.page(
        "settings/collection_changes.html", NAME, _head(editing, wrong) | {"changes": told}, status=wrong.status if wrong else 200
    )


PLACE_WORDS = {
    "columns": "Columns of the list", "details": "Fields of the details", "form": "Fields of the form", "label": "Name", "label_one": "Name of one",
    "help": "Help", "title": "Title of a record", "subject": "Whose data", "sort": "Order of the list", "search": "Quick search", "key": "Key",
    "summary": "Summary", "segments": "Segment", "relations": "Relation", "validation": "Rules of a record",
}  # fmt: skip


def _place(change: Change, labels: Mapping[str, str]) -> str:
    """The place of a change in words: "E-mail: label"."""
    head, *rest = change.place
    if head == "fields" and rest:
        return ": ".join([labels.get(rest[0], rest[0]), " ".join(rest[1:]) or "everything said of it"])
    return " ".join([PLACE_WORDS.get(head, head), *rest])


def _words(change: Change, said: Any, labels: Mapping[str, str]) -> str:
    """What stands at a place, fields by their labels."""
    if change.place[0] in (*LISTS, "search", "key") and isinstance(said, list):
        return ", ".join(labels.get(name, name) for name in said) or "no field"
    return worded(said)


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
    return frame.moved(_url(collection))


def _versions(editing: Editing, wrong: ConsoleError | None = None) -> Response:
    found = collections.versions(frame.actor(), editing.collection.id)
    context = _head(editing, wrong) | {"versions": found, "origins": ORIGINS}
    context["names"] = accounts.names({one.made_by for one in found})
    return area.page("settings/collection_versions.html", NAME, context, status=wrong.status if wrong else 200)


def _document(editing: Editing, text: str, wrong: ConsoleError | None = None) -> Response:
    context = _head(editing, wrong) | {"text": text}
    return area.page("settings/collection_document.html", NAME, context, status=wrong.status if wrong else 200)


def _preview(becoming: Collection) -> dict[str, Any]:
    """A row of the list and the summary of a real record, as the draft would draw them; why not, where the editor may see no record."""
    look = frame.look()
    try:
        found = browse.sample(frame.actor(), becoming)
    except (NotAllowed, NotFound):
        return {"sample": None, "sample_why": "You may not browse these records, so that none is shown here."}
    except SourceDown as down:
        return {"sample": None, "sample_why": down.message}
    if found is None:
        return {"sample": None, "sample_why": "There is no record yet that could be shown here."}
    columns = [item for item in found.fields if item.name in becoming.columns and (item.name,) != becoming.title_fields]
    columns.sort(key=lambda item: becoming.columns.index(item.name))
    state = becoming.summary.get("badge")
    cells = [
        (states.cell if item.name == state else formats.cell)(formats.kind(item, becoming.key), look)(found.record.values.get(item.name))
        for item in columns
    ]
    return {
        "sample": found.record,
        "sample_columns": [item.label for item in columns],
        "sample_cells": Markup("".join(cells)),  # noqa: S704 (cells escape their values)
        "sample_sections": records.sections(found, look, whole=False),
    }
