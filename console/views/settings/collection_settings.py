"""`/settings/collections`: how collections are displayed. A draft is edited beside its preview, its changes are reviewed, then it is published."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from flask import Blueprint, Response, flash, make_response, request
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from console.auth import accounts
from console.core.documents.collections import (
    FIELD_TYPES,
    FORMATS,
    LISTS,
    Collection,
    Field,
    field_guesses,
    treatment,
)
from console.core.documents.collections.assembling import MAY_MEAN_NONE
from console.core.documents.collections.document_merge import merged
from console.core.documents.json_shape import loaded
from console.core.errors import Conflict, ConsoleError, Invalid, Malformed, NotFound
from console.core.plain_words import unaccented
from console.sources import collections, repairs
from console.sources.collections import Editing
from console.views import forms, frame
from console.views.forms import Cell, Column, Table
from console.views.settings import area, collection_forms, collection_frame
from console.views.settings.collection_frame import NAME

blueprint = Blueprint("collection_settings", __name__, url_prefix="/settings/collections")
PAGE_SIZE, FIELDS_SHOWN = 100, 60
COLUMNS = ("Collection", Column("Table", "mono"), Column("Fields", "r"), "Said", "Last published")
VIEW = frame.Badge("view")
FOUND_FLAGS = ("sensitive", "personal", "hidden")
"""Flags that are found by themselves unless somebody says otherwise."""
DOCUMENT_HINT = Markup(
    "Everything that is said of the collection: segments, relations, rules and the summary too. The same file is read by "
    '<span class="mono">console collection import</span>; its schema is at <a href="/schema/collection.json">/schema/collection.json</a>.'
)
ORIGINS = {"found": "As it was before the first change here", "page": "By page", "file": "From a file"}


@blueprint.get("")
def show() -> Response:
    """Show the collections by data source, `PAGE_SIZE` on a page; `?q=` those with this part of a name."""
    text = request.args.get("q", "").strip()
    found = [
        head
        for head in collections.list_collections(frame.actor())
        if _named(head.collection, text.casefold())
    ]
    found.sort(key=lambda head: head.collection.source)
    pager = area.pager(len(found), PAGE_SIZE)
    begin = pager.begin if pager else 0
    heads = found[begin : begin + PAGE_SIZE]
    names = accounts.names({head.draft_by for head in heads if head.draft_by})
    sources: dict[str, list[Any]] = {}
    for head in heads:
        sources.setdefault(head.collection.source, []).append(_cells(head, names))
    tables = {source: Table(f"Collections of {source}", COLUMNS, lines) for source, lines in sources.items()}
    return area.page("settings/collections.html", NAME, {"sources": tables, "pager": pager, "q": text})


def _cells(head: Any, names: Mapping[str, str]) -> tuple[Any, ...]:
    collection = head.collection
    said: Any = f"Version {head.version}" if head.version else "By its document" if head.said else "As found"
    if head.draft_by:
        said = Cell(
            badge=frame.Badge(f"Draft by {names.get(head.draft_by, 'the command line')}", "warn", "pencil")
        )
    return (
        Cell(collection.label, collection_frame.url(collection.id)),
        Cell(
            f"{collection.schema}.{collection.table}" if collection.schema else collection.table,
            badge=VIEW if collection.kind == "view" else None,
        ),
        len(collection.fields),
        said,
        head.changed_at,
    )


def _named(collection: Collection, part: str) -> bool:
    """Return whether the label, id or table of the collection has this part."""
    return any(part in name.casefold() for name in (collection.label, collection.id, collection.table))


@blueprint.route("/<collection>", methods=["GET", "POST"])
def show_collection(collection: str) -> Response:
    """Show the names and fields of a collection, `FIELDS_SHOWN` on a page, `?q=` those with this part of a name; a POST saves the draft."""
    editing = collection_frame.editing_of(collection)
    if request.method != "POST":
        return _editor(editing)
    document = collection_forms.merged(editing, request.form)
    if request.form.get("do") == "look":
        return _editor(editing, typed=request.form)
    moved = request.form.get("move", "").partition(":")[2]
    then = frame.present_address() + (f"#{frame.dom_id('field', moved)}" if moved else "")
    return collection_frame.save(
        editing, document, lambda wrong: _editor(editing, wrong=wrong, typed=request.form), then
    )


@blueprint.post("/<collection>/preview")
def preview(collection: str) -> Response:
    """Render the form's content without saving it."""
    editing = collection_frame.editing_of(collection)
    becoming, wrong = _becoming(editing)
    drawn = collection_frame.preview(becoming, wrong=wrong) | {"collection": becoming}
    return make_response(frame.render("settings/collection.html", drawn, "preview"))


@blueprint.route("/<collection>/fields/<path:name>", methods=["GET", "POST"])
def field(collection: str, name: str) -> Response:
    """Show everything about one field; a POST saves it in the draft. A computed field can be removed."""
    editing = collection_frame.editing_of(collection)
    item = next(
        (
            item
            for item in (*editing.becoming.stored_fields, *editing.becoming.computed_fields)
            if item.name == name
        ),
        None,
    )
    if item is None:
        raise NotFound
    if request.method != "POST":
        return _field(editing, item)
    document = editing.document.to_json()
    if request.form.get("do") == "remove" and item.computed is not None:
        _without(document, name)
    else:
        fields = document.setdefault("fields", {})
        fields[name] = collection_forms.field_document(request.form, fields.get(name, {}), item)
    return _saved(editing, document, item)


@blueprint.route("/<collection>/new-field", methods=["GET", "POST"])
def new_field(collection: str) -> Response:
    """Show the form of a computed field: name and expression; a POST adds it to the draft."""
    editing = collection_frame.editing_of(collection)
    if request.method != "POST":
        return _field(editing, None)
    name, document = request.form.get("name", "").strip(), editing.document.to_json()
    taken = {*document.get("fields", {}), *editing.becoming.by_name}
    if not name and (label := request.form.get("label", "")):
        plain = field_guesses.snaked(unaccented(label)).encode("ascii", "ignore").decode()
        plain = plain if plain[:1].isalpha() else f"field_{plain}".rstrip("_")
        name = next(
            (
                each
                for each in (plain, *(f"{plain}_{number}" for number in range(2, 100)))
                if each not in taken
            ),
            "",
        )
    if name in taken or not name:
        reason = f"There is a field {name} already." if name else "A field needs a name or a label."
        return _field(editing, None, Invalid(reason, at="name"))
    document.setdefault("fields", {})[name] = {
        "computed": "",
        **collection_forms.field_document(request.form, {}),
    }
    if "columns" in document:
        document["columns"].append(name)
    return _saved(editing, document, None)


@blueprint.route("/<collection>/changes", methods=["GET", "POST"])
def changes(collection: str) -> Response:
    """Show what the draft changes; a POST publishes it, discards it, undoes its last change, or leaves out of it what its table no longer has.

    `restored` is the number of the version that the draft was made of: what the draft does not have of it is said.
    """
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
    editing, number = (
        collections.open_collection(frame.actor(), collection),
        request.form.get("number", 0, int),
    )
    if request.method == "POST":
        try:
            made = collections.restore(frame.actor(), collection, number, collection_frame.revision())
        except (Conflict, Invalid) as wrong:
            return _versions(editing, wrong)
        if made == editing.draft.revision:
            flash(
                f"Nothing changes by that: {'the draft' if editing.draft.document else 'what counts'} is version {number} already."
            )
        else:
            flash("The former version is the draft now. Look at what changes, then publish it.")
        return frame.redirect_to(f"{collection_frame.url(collection)}/changes?restored={number}")
    return _versions(editing)


@blueprint.route("/<collection>/document", methods=["GET", "POST"])
def document(collection: str) -> Response:
    """Show the whole document as text, with relations, segments, rules and summary."""
    editing = collection_frame.editing_of(collection)
    if request.method != "POST":
        return _document(editing, editing.document.canonical().decode())
    text = request.form.get("document", "").replace("\r\n", "\n")
    raw, loaded_document = loaded(text)
    if raw is None or loaded_document:
        details = [{"field": spot.path, "reason": spot.reason} for spot in loaded_document]
        return _document(editing, text, Invalid(loaded_document[0].reason, details=details))
    changes_page = f"{collection_frame.url(collection)}/changes"
    return collection_frame.save(editing, raw, lambda wrong: _document(editing, text, wrong), changes_page)


@blueprint.post("/<collection>/merge")
def merge(collection: str) -> Response:
    """Join the changes of two editors: where they contradict each other, those that the form picks. The result is saved as the draft."""
    editing = collections.open_collection(frame.actor(), collection)
    base, mine = (loaded(request.form.get(name, ""))[0] for name in ("base", "mine"))
    if base is None or mine is None:
        raise Malformed("This form could not be read. Go back, and save again.")
    if collection_frame.revision() != editing.draft.revision:
        return collection_frame.both(collection, base, mine)
    joined = merged(base, mine, editing.document.to_json(), request.form.getlist("mine_wins"))
    refused = partial(collection_frame.both, collection, base, mine)
    return collection_frame.save(editing, joined, refused, f"{collection_frame.url(collection)}/changes")


@blueprint.get("/<collection>/document.json")
def download(collection: str) -> Response:
    """Download the published document, in the format of `console collection import`."""
    editing = collections.open_collection(frame.actor(), collection)
    answer = make_response(editing.live.canonical())
    answer.headers["Content-Type"] = "application/json; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{collection}.json"'
    return answer


# -- what the pages draw


def _becoming(editing: Editing) -> tuple[Collection, str]:
    """Return the collection as the form would make it, and what is wrong with it."""
    try:
        return collections.preview(
            frame.actor(), editing.collection.id, collection_forms.merged(editing, request.form)
        ), ""
    except Invalid as error:
        return editing.becoming, error.message


def _editor(
    editing: Editing, *, wrong: ConsoleError | None = None, typed: MultiDict[str, str] | None = None
) -> Response:
    text = request.args.get("q", "").strip()
    shown = [
        row
        for row in collection_forms.rows(editing)
        if text.casefold() in f"{row.label}\n{row.name}".casefold()
    ]
    pager = area.pager(len(shown), FIELDS_SHOWN)
    begin = pager.begin if pager else 0
    values = {name: editing.document.to_json().get(name, "") for name in collection_forms.NAMES}
    watched = editing.document.to_json().get("changes") or {}
    if typed is not None:
        values |= {name: typed[name] for name in collection_forms.NAMES if name in typed}
        watched = {name: typed.get(f"changes.{name}", "") for name, _, _ in collection_forms.WATCHED}
    becoming, mistaken = _becoming(editing) if typed is not None else (editing.becoming, "")
    values |= {f"changes.{name}": watched.get(name) or "" for name, _, _ in collection_forms.WATCHED}
    context = collection_frame.preview(becoming, wrong="" if wrong else mistaken) | {
        "rows": shown[begin : begin + FIELDS_SHOWN],
        "pager": pager,
        "q": text,
        "action": frame.present_address(),
        "form": forms.Form([], values, prefix="c-", error=wrong),
        "watched": [(name, words, hint, watched.get(name)) for name, words, hint in collection_forms.WATCHED],
        "growing": {
            item.name: item.label
            for item in editing.becoming.stored_fields
            if item.stored in collection_forms.GROWING
        },
        "orders": collection_frame.orders(editing),
        "typed": typed,
        "flags": collection_forms.FLAGS,
        "places": collection_forms.PLACES,
    }
    return collection_frame.page("collection.html", editing, context, wrong)


def _saved(editing: Editing, document: Mapping[str, Any], item: Field | None) -> Response:
    """Save the draft and return to the fields; show the form of the field again if it is refused."""
    back = collection_frame.url(editing.collection.id)
    return collection_frame.save(editing, document, lambda wrong: _field(editing, item, wrong), back)


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
        settings = collection_forms.field_document(request.form, settings, item)
    drawn = item or Field("", "", "text", "text", computed="")
    values = {
        **settings,
        "name": request.form.get("name", ""),
        "options": collection_forms.options_text(settings.get("options")),
        "empty_values": collection_forms.empty_values_text(settings.get("empty_values")),
        **{flag: {True: "yes", False: "no"}.get(settings[flag]) for flag in FOUND_FLAGS if flag in settings},
    }
    form = collection_frame.form(
        editing,
        [],
        values,
        wrong,
        prefix="f-",
        cancel=collection_frame.url(editing.collection.id),
        buttons=[forms.Button("Remove the field", "remove", "trash", "danger")]
        if item and drawn.computed
        else [],
    )
    may_be_said = (
        item is not None
        and item.computed is None
        and item.stored in MAY_MEAN_NONE
        and item.name not in editing.becoming.key
    )
    context = {
        "form": form,
        "item": item,
        "drawn": drawn,
        "says": settings,
        "flags": collection_forms.FLAGS,
        "found_flags": FOUND_FLAGS,
        "types": _same(sorted(FIELD_TYPES)),
        "widgets": collection_forms.offered(drawn) if item else collection_forms.every_widget(),
        "formats": _same(FORMATS),
        "rules": [*settings.get("validation", []), {"if": "", "message": ""}],
        "currencies": [
            (each.name, each.label) for each in editing.becoming.stored_fields if each.stored == "text"
        ],
        "targets": collection_frame.targets(editing.becoming),
        "ai_words": collection_forms.AI_WORDS,
        "may_be_said": may_be_said,
        "ai_closed": treatment.secret(drawn.name, drawn.stored),
    }
    return collection_frame.page(
        "collection_field.html", editing, context, wrong, heading=item.label if item else "New field"
    )


def _same(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return the choices whose labels are their values."""
    return [(name, name.replace("_", " ") if "." not in name else name) for name in names]


def _changes(editing: Editing, wrong: ConsoleError | None = None) -> Response:
    wording = collection_frame.wording_of(editing, editing.live.to_json(), editing.document.to_json())
    lines = [
        (
            wording.place(change.place),
            wording.content(change.place, change.before),
            wording.content(change.place, change.after),
        )
        for change in editing.changes
    ]
    restored = request.args.get("restored", 0, int)
    of = next(
        (
            each.document
            for each in collections.versions(frame.actor(), editing.collection.id)
            if each.number == restored
        ),
        None,
    )
    omitted = (
        repairs.describe_omissions(editing.becoming, of.to_json(), editing.document.to_json()) if of else []
    )
    context = {"changes": lines, "restored": restored, "omitted": omitted}
    return collection_frame.page("collection_changes.html", editing, context, wrong, heading="Changes")


def _decided(collection: str, do: str) -> Response:
    actor, revision = frame.actor(), collection_frame.revision()
    match do:
        case "publish":
            number = collections.publish(actor, collection, revision, request.form.get("live"))
            flash(f"Version {number} is published.")
        case "mend":
            collections.mend(actor, collection, revision)
            flash("What the table no longer has is left out of the draft.")
            return frame.redirect_to(f"{collection_frame.url(collection)}/changes")
        case "undo":
            collections.undo(actor, collection, revision)
            flash("The last change of the draft is taken back.")
        case "discard":
            collections.discard(actor, collection, revision)
            flash("The draft is thrown away.")
        case _:
            raise NotFound
    return frame.redirect_to(collection_frame.url(collection))


def _versions(editing: Editing, wrong: ConsoleError | None = None) -> Response:
    versions = collections.versions(frame.actor(), editing.collection.id)
    makers = accounts.names({version.made_by for version in versions})
    return collection_frame.page(
        "collection_versions.html",
        editing,
        {"versions": versions, "origins": ORIGINS, "makers": makers},
        wrong,
        heading="Versions",
    )


def _document(editing: Editing, text: str, wrong: ConsoleError | None = None) -> Response:
    document = forms.Field(
        "document", "Document", "area", DOCUMENT_HINT, rows=24, css="mono document", refused_as=("",)
    )
    file_address = f"{collection_frame.url(editing.collection.id)}/document.json"
    form = collection_frame.form(
        editing,
        [document],
        {"document": text},
        wrong,
        css="form",
        cancel=file_address,
        cancel_label="Download what counts",
    )
    return collection_frame.page("collection_form.html", editing, {"form": form}, wrong, heading="As a file")
