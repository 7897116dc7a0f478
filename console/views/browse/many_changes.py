"""Fields of many records changed by hand, or the records deleted: what is asked first, and what would become of each."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Response, request

from console import browse, records
from console.actions import bulk, hand_forms, many_changes, many_tags
from console.actions.bulk import Bulk
from console.actions.many_changes import ManyChanges
from console.auth import access
from console.automation import triggers
from console.browse import BrowseQuery, naming
from console.core.documents.collections import Collection, Field
from console.core.errors import ConsoleError, Invalid, NotFound
from console.core.forms import is_empty, refusal
from console.views import formats, frame, refusals
from console.views.browse import chosen_records, lists, record_forms, reference_boxes
from console.views.runs import form_boxes, workspace_return

FIRST = 8
EVENTS = {many_changes.PUT_TAG: "tag.added", many_changes.TAKE_TAG: "tag.removed"}
"""Of what has an event of its own: on what workflows start."""
FIELD, EMPTY, EMPTY_IT = "field", "empty", "Empty it"


def ask(collection_id: str, deed: ManyChanges, query: BrowseQuery) -> Response:
    """Ask which fields get which values, or say what deleting brings with it. A POST with `look` has the records looked at."""
    who, form = frame.actor(), request.values
    collection, _ = browse.browsed_collection(who, collection_id)
    if deed.id not in [one.id for one in many_changes.offered(who, collection)]:
        raise NotFound("There is no such action for several of these records, or it is not yours to do.")
    known = {field.name: field for field in many_changes.fields(who, collection)}
    wanted = list(dict.fromkeys(name for name in form.getlist(FIELD) if name in known))
    typed = form_boxes.read_form(request.form, frame.look()) if request.method == "POST" else {}
    emptied = set(form.getlist(EMPTY)) & set(wanted)
    values = {name: typed.get(name) for name in wanted if name in emptied or not is_empty(typed.get(name))}
    keys, wrong = chosen_records.keys(who, form), None
    if form.get("all"):
        browse.page(
            who, collection_id, replace(query, limit=1)
        )  # a list that cannot be read is refused here, not by the worker
    if request.method == "POST" and "look" in request.form:
        try:
            _require(deed, known, values, emptied)
            bulk_id = bulk.look(who, collection_id, deed, keys, query if form.get("all") else None, values)
            workspace_return.note_start(bulk_id)
            return frame.redirect_to(f"/bulk/{bulk_id}")
        except Invalid as invalid:
            wrong = invalid
    sources = [known[name].to_json() | {"required": False, "readonly": False} for name in wanted]
    labels, details = (
        {name: field.label for name, field in known.items()},
        list(wrong.details) if wrong else [],
    )
    governed: dict[str, list[str]] = {}
    for field in collection.stored_fields if not deed.deletes else ():
        if field.governed:
            governed.setdefault(browse.governors(who, [field])[field.name].words, []).append(field.label)
    way = chosen_records.return_url(collection_id, collection.label)
    context = way | {
        "collection": collection,
        "deed": deed,
        "wanted": wanted,
        "more": [(name, field.label) for name, field in known.items() if name not in wanted],
        "boxes": form_boxes.boxes(
            {"fields": sources}, reference_boxes.look_for(sources, typed), typed=typed or None, errors=details
        ),
        "keys": [] if form.get("all") or form.get("again") else keys,
        "number": len(keys),
        "whole": bool(form.get("all")),
        "among": lists.listed_words(collection, browse.describe(who, collection_id))
        if form.get("all")
        else "",
        "led": _led(collection) if deed.deletes else [],
        "kept": chosen_records.choice_fields(form) + way["kept_from"],
        "governed": [(", ".join(labels), words) for words, labels in governed.items()],
        "emptied": emptied,
        "may_empty": {name for name in wanted if not _needed(known[name])},
        "error": refusals.head(wrong, labels),
        "wrong": refusals.lines([each for each in details if each["field"] in labels], labels),
        "url": f"/bulk/of/{collection_id}",
    }
    return frame.page("actions/many_changes.html", context, status=422 if wrong else 200)


def _needed(field: Field) -> bool:
    return field.needed


def _require(
    deed: ManyChanges, known: Mapping[str, Field], values: Mapping[str, Any], emptied: set[str]
) -> None:
    """Raises Invalid where no field gets a value or is emptied, one is emptied that must not be, or gets a value and is emptied at once."""
    if deed.deletes:
        return
    if not values:
        raise Invalid(f"Give a field a value, or tick “{EMPTY_IT}”.", at=(FIELD, "None is changed."))
    wrong = {known[name].name: f"{known[name].label} is needed." for name in emptied if _needed(known[name])}
    wrong |= {
        name: f"Either a value or “{EMPTY_IT}”, not both." for name in emptied if not is_empty(values[name])
    }
    if wrong:
        raise refusal(
            [{"field": name, "reason": reason} for name, reason in wrong.items()],
            [known[name] for name in wrong],
        )


def _led(collection: Collection) -> list[tuple[str, str]]:
    """Return (which records refer to them, what becomes of these) for each relation that the reader may know of."""
    found = []
    for relation in collection.relations:
        if relation.kind == "to_many" and access.can(
            frame.actor(), None, f"collection:{relation.collection}", "browse"
        ):
            follows = record_forms.FOLLOWS[records.on_delete(collection, relation)][1]
            found.append((records.collection(relation.collection).label, follows))
    return found


def looked(found: Bulk) -> dict[str, Any]:
    """Return what the page of a change by hand tells more than that of an action: the new values, some records before and after, and what starts by it."""
    deed = many_changes.change_by_id(found.action)
    if deed is None:
        return {"deed": None}
    who, (collection, _) = frame.actor(), browse.browsed_collection(frame.actor(), found.collection)
    fields = (
        [] if deed.tags else [collection.by_name[name] for name in found.values if name in collection.by_name]
    )
    keys = [item.key for item in found.items if item.state == bulk.FITS][:FIRST]
    try:
        before = records.records_by_key(
            collection.id, keys, browse.view_scope(who, collection), [field.name for field in fields]
        )
    except ConsoleError:
        before = {}
    rows = [found.values, *(record.values for record in before.values())]
    look = frame.naming(
        browse.names_of(who, naming.references(((field.name, field.references) for field in fields), rows))
    )
    drawn = [(field, formats.kind(field)) for field in fields]
    event = EVENTS.get(deed.id, "record.deleted" if deed.deletes else "record.updated")
    first = [key for key in keys if key in before]
    return {
        "deed": deed,
        "tag": found.values.get(many_tags.TAG) if deed.tags else None,
        "new": [(field.label, formats.html(what, found.values[field.name], look)) for field, what in drawn],
        "first": [
            (
                before[key].title,
                frame.record_url(collection.id, key),
                [
                    (field.label, formats.html(what, before[key].values.get(field.name), look))
                    for field, what in drawn
                ],
            )
            for key in first
        ],
        "hanging": [_hanging(collection.id, key) for key in first if deed.deletes and found.looking],
        "starts": triggers.started_by(
            who, event, collection.id, [str(found.values[many_tags.TAG])] if deed.tags else None
        )
        if found.looking
        else [],
        "led": _led(collection) if deed.deletes and found.looking and found.count(bulk.FITS) else [],
    }


def _hanging(collection_id: str, key: str) -> list[str]:
    """Return how many records of each relation refer to the record, and what becomes of them, in words."""
    try:
        referring = hand_forms.deletion(frame.actor(), collection_id, key).referring
    except ConsoleError:
        return []
    told = [record_forms.follows(each, "", several=False) for each in referring if each.count]
    return [f"{each['head']} {each['words']}" for each in told]
