"""What the pages about one collection share: their context, saving the draft, and what happens when somebody else was faster."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Response, flash, g, request
from markupsafe import Markup

from console import records as real_records
from console.auth import accounts
from console.core import former_documents
from console.core.documents.collections import LISTS, Collection
from console.core.documents.collections.document_changes import worded
from console.core.documents.collections.document_merge import compare
from console.core.documents.collections.document_words import NAMED, PLACE_WORDS, Wording
from console.core.errors import Conflict, ConsoleError, Invalid, SourceDown
from console.sources import collections
from console.sources.collections import Editing
from console.views import formats, frame, states
from console.views.browse import record_forms, records
from console.views.forms import Field, Form, Item
from console.views.runs import form_boxes
from console.views.settings import area
from console.views.workspaces import condition_lines

NAME = "collections"
SAVED = "Draft saved. It counts once it is published."


def url(collection: str) -> str:
    """Return the address of the collection in the settings."""
    return f"/settings/collections/{collection}"


def revision() -> int:
    """Return the revision of the draft that the form was drawn with."""
    return request.form.get("revision", -1, int)


def editing_of(collection: str) -> Editing:
    """Return the collection as the form was drawn: as it is now, or for a POST as it was at the form's revision."""
    return collections.open_collection(
        frame.actor(), collection, revision() if request.method == "POST" else None
    )


def context(editing: Editing, wrong: ConsoleError | None = None) -> dict[str, Any]:
    """Return what every page about one collection draws."""
    who = {
        editing.draft.changed_by,
        *editing.draft.changers,
        *([str(wrong.extra.get("by"))] if wrong else []),
    }
    return {
        "editing": editing,
        "collection": editing.becoming,
        "url": url(editing.collection.id),
        "names": accounts.names(who - {"", "None"}),
        "wrong": wrong,
        "theirs": [
            (detail["field"], worded(detail["theirs"])) for detail in wrong.details if "theirs" in detail
        ]
        if wrong
        else [],
        "details": [detail for detail in wrong.details if "theirs" not in detail] if wrong else [],
        "preview_roles": [(role, formats.role_words(role)) for role in collections.roles()],
        "preview_as": request.values.get("as", ""),
    }


def page(
    template: str,
    editing: Editing,
    context_: Mapping[str, Any],
    wrong: ConsoleError | None = None,
    *,
    heading: str = "",
    trail: Iterable[tuple[str, str]] = (),
) -> Response:
    """Return a page about one collection; `heading` and `trail` are below its own name."""
    here = (url(editing.collection.id), editing.becoming.label)
    shown = context(editing, wrong) | dict(context_)
    below = [here, *trail] if heading else []
    return area.page(
        f"settings/{template}",
        NAME,
        shown,
        heading=heading or editing.becoming.label,
        trail=below,
        error=wrong,
    )


def save(
    editing: Editing, document: Mapping[str, Any], drawn: Callable[[ConsoleError], Response], then: str
) -> Response:
    """Save the draft and go to `then`. A refused one is drawn again; where somebody else was faster, both versions are shown."""
    collection = editing.collection.id
    document, gone = _without_gone(editing, document) if editing.problems else (document, [])
    try:
        collections.save(frame.actor(), collection, revision(), document)
    except Conflict:
        return both(collection, editing.document.to_json(), document)
    except Invalid as wrong:
        return drawn(spoken(wrong, editing, document))
    flash(f"{SAVED} Left out, because the table no longer has it: {', '.join(gone)}." if gone else SAVED)
    return frame.redirect_to(then)


def spoken(wrong: Invalid, editing: Editing, document: Mapping[str, Any]) -> Invalid:
    """Return the refusal with the place of its first reason in words: "E-mail: expression", not `fields.email.computed`."""
    first = next((detail for detail in wrong.details if detail.get("field")), None)
    if first is None:
        return wrong
    wording, parts = Wording.of(editing.becoming, document), re.findall(r"[^.\[\]]+", first["field"])
    if parts[0] not in document and parts[0] not in PLACE_WORDS:
        return wrong
    if (
        parts[0] in NAMED
        and parts[1:]
        and parts[1].isdigit()
        and int(parts[1]) < len(document.get(parts[0], ()))
    ):
        parts[1] = str(document[parts[0]][int(parts[1])].get(NAMED[parts[0]], parts[1]))
    more = f" And {len(wrong.details) - 1} more." if len(wrong.details) > 1 else ""
    reason = f"The draft was not saved. {wording.place(tuple(parts))}: {first['reason']}{more}"
    return Invalid(reason, details=wrong.details, **wrong.extra)


def _without_gone(editing: Editing, document: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the document without fields that its table has lost, in lists and by themselves, and their names."""
    said = document.get("fields", {})
    known = {*labels_of(editing.becoming), *(name for name, says in said.items() if says.get("computed"))}
    listed = [name for place in (*LISTS, "search") for name in document.get(place, ())]
    gone = list(dict.fromkeys(name for name in [*said, *listed] if name not in known))
    made = {**document, "fields": {name: says for name, says in said.items() if name in known}}
    made |= {
        place: [name for name in document[place] if name in known]
        for place in (*LISTS, "search")
        if place in document
    }
    return made, gone


def wording_of(editing: Editing, *documents: Mapping[str, Any]) -> Wording:
    """Return the words for the documents; conditions of segments call records by their names."""
    wording = Wording.of(editing.becoming, *documents)
    filters = [
        str(entry["filter"])
        for document in documents
        for entry in document.get("segments", ())
        if "filter" in entry
    ]
    return replace(wording, fields=condition_lines.with_names(wording.fields, filters))


def both(
    collection: str, base: Mapping[str, Any], mine: Mapping[str, Any], wrong: ConsoleError | None = None
) -> Response:
    """Return the page with the changes of both editors since `base`, from which they are joined."""
    editing = collections.open_collection(frame.actor(), collection)
    theirs = editing.document.to_json()
    wording = wording_of(editing, base, mine, theirs)
    rows = [
        {
            "path": each.path,
            "words": wording.place(each.place),
            "disputed": each.disputed,
            "by": each.by,
            "before": wording.content(each.place, each.before),
            "mine": wording.content(each.place, each.mine),
            "theirs": wording.content(each.place, each.theirs),
        }
        for each in compare(base, mine, theirs)
    ]
    draft = editing.draft
    by, words = former_documents.overtaken(
        draft.former, draft.changed_by, draft.revision - revision(), frame.actor().id, gone=False
    )
    moved = {"moved": words, "by": by, "own": by == frame.actor().id}
    context_ = moved | {"rows": rows, "base": json.dumps(dict(base)), "mine": json.dumps(dict(mine))}
    return area.page(
        "settings/collection_both.html",
        NAME,
        context(editing, wrong) | context_,
        heading="Two changes at once",
        trail=[(url(collection), editing.becoming.label)],
        error=wrong,
        status=409,
    )


def labels_of(collection: Collection) -> dict[str, str]:
    """Return the label of every field."""
    return {item.name: item.label for item in (*collection.stored_fields, *collection.computed_fields)}


# -- the preview


def preview(
    becoming: Collection, parts: tuple[str, ...] = ("list", "summary"), wrong: str = ""
) -> dict[str, Any]:
    """Return what the draft looks like to the editor, or to people of the role `as`: a row of the list, the summary, and the forms."""
    role = request.values.get("as", "")
    look = collections.look(frame.actor(), becoming, role)
    context_: dict[str, Any] = {
        "preview_wrong": wrong,
        "look": look,
        "sample": look.page and look.page.record,
        "parts": parts,
    }
    if look.page is None:
        return context_
    page, drawn = look.page, frame.naming(look.page.named)
    readable = {item.name: item for item in page.fields}
    columns = [
        readable[name] for name in becoming.columns if name in readable and (name,) != becoming.title_fields
    ]
    state = becoming.summary.get("badge")
    values = formats.with_currencies(page.record.values, becoming.currencies)
    cells = [
        (states.cell if item.name == state else formats.cell)(formats.kind(item, becoming.key), drawn)(
            values.get(item.name)
        )
        for item in columns
    ]
    related = [entry.get("relation") for entry in becoming.summary.get("related", ())]
    return context_ | {
        "sample_columns": [item.label for item in columns],
        "sample_cells": Markup("".join(cells)),  # noqa: S704 (cells escape their values)
        "sample_sections": records.sections(page, drawn, whole=False) if "summary" in parts else [],
        "sample_related": [relation.label for name in related if (relation := becoming.relation(str(name)))],
        "sample_new": _boxes(becoming, look, new=True) if "new" in parts else None,
        "sample_form": _boxes(becoming, look, new=False) if "edit" in parts else None,
    }


def _boxes(becoming: Collection, look: collections.Look, *, new: bool) -> list[form_boxes.Box]:
    """Return the boxes of the form of a new record, or of the form in which the shown one is changed."""
    page = look.page
    if page is None:
        return []
    who = frame.actor()
    begun = (
        becoming.begins_with({"currentUser": who.attributes, "now": frame.look().now})
        if new
        else page.record.values
    )
    fields = [
        item
        for item in form_fields(becoming, new=new)
        if item.name not in look.closed and (new or item in page.fields)
    ]
    own = filled(becoming) if new else {}
    sources = [
        record_forms.box_source(item, filled=item.name in own)
        | {"name": f"preview.{item.name}", "now": None, "value": begun.get(item.name)}
        for item in fields
    ]
    return form_boxes.boxes({"fields": sources}, frame.look())


def form_fields(becoming: Collection, *, new: bool) -> list[Any]:
    """Return the fields of a form in their order."""
    named = becoming.new if new and becoming.new is not None else becoming.form
    able = [item for item in becoming.stored_fields if offered_in_form(becoming, item, new=new)]
    if named is None:
        return able
    needed = [
        item.name
        for item in able
        if new and item.name not in named and not item.nullable and item.name in becoming.key
    ]
    return sorted(
        (item for item in able if item.name in (*named, *needed)),
        key=lambda item: (*needed, *named).index(item.name),
    )


def offered_in_form(becoming: Collection, item: Any, *, new: bool) -> bool:
    """Return whether a form may have this field at all."""
    if item.hidden or item.governed or item.type in formats.SHOWN_ONLY or not becoming.key:
        return False
    if new and item.name in becoming.key and item.name in filled(becoming):
        return False  # the database makes the key itself
    return not item.readonly or (new and item.name in becoming.key and becoming.kind == "table")


def filled(becoming: Collection) -> Mapping[str, str]:
    """Return the columns that the database fills in where a new record leaves them out, asked for once a request; none while it does not answer."""
    known: dict[str, Mapping[str, str]] = g.setdefault("filled_columns", {})
    if becoming.id not in known:
        try:
            known[becoming.id] = real_records.filled_by_database(becoming)
        except SourceDown:
            known[becoming.id] = {}
    return known[becoming.id]


def form(
    editing: Editing,
    items: Sequence[Item],
    values: Mapping[str, Any],
    wrong: ConsoleError | None = None,
    **more: Any,
) -> Form:
    """Return a form that saves the draft of the collection."""
    revised = [Field("revision", kind="hidden"), *items]
    usual = {
        "submit": "Save draft",
        "css": "form field-form",
        "more": {"data-touched": ""} if wrong else {},
        "submit_more": {"data-key": "ctrl+s"},
        "says_error": False,
    }
    return Form(revised, {**values, "revision": editing.draft.revision}, error=wrong, **{**usual, **more})


def orders(editing: Editing) -> list[tuple[str, str]]:
    """Return the orders that a list may have."""
    return [
        choice
        for name, label in sortable(editing)
        for choice in ((name, f"{label}, ascending"), (f"-{name}", f"{label}, descending"))
    ]


def sortable(editing: Editing) -> list[tuple[str, str]]:
    """Return name and label of the fields that a list can be sorted by."""
    return [
        (item.name, item.label)
        for item in editing.becoming.stored_fields
        if item.sortable and not item.hidden
    ]


def targets(own: Collection) -> list[tuple[str, str]]:
    """Return every collection that a field or relation may lead to, as (id, label and source), those of the same source first."""
    every = sorted(
        real_records.collections(),
        key=lambda each: (each.source != own.source, each.source, each.label.casefold()),
    )
    return [(each.id, f"{each.label} · {each.source}") for each in every]
