"""Whole records by hand: a new one, a copy of one, several fields of one at once, and deleting one with what follows from it."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, flash, request
from werkzeug.datastructures import MultiDict

from console import browse
from console.actions import hand_forms, record_changes
from console.actions.hand_forms import Deletion, NewRecord, Referring
from console.browse import RecordPage
from console.core.documents.collections import Field
from console.core.errors import Conflict, ConsoleError, Invalid, NotAllowed, NotFound, SourceDown
from console.core.plain_words import uncapitalised
from console.records.delete import Follows
from console.views import concurrent_changes, errors, formats, frame, refusals
from console.views.browse import records, reference_boxes
from console.views.runs import form_boxes

blueprint = Blueprint("record_forms", __name__)

FILLED = "Left empty, the database fills it in."
GONE = "This record is gone, or outside what you may see now: nothing was saved. Go back in your browser for what you typed."
UNTOLD = "may refer to it: their source does not answer"
FOLLOWS: Mapping[Follows | None, tuple[str, str]] = {
    "deleted": (
        "will be deleted with it, and what hangs on it",
        "will be deleted with it, and what hangs on them",
    ),
    "emptied": ("stays, and no longer names it", "stay, and no longer name it"),
    "refused": (
        "refers to it: it cannot be deleted while that is so",
        "refer to it: it cannot be deleted while they do",
    ),
    None: ("refers to it, stays, and will lead nowhere", "refer to it, stay, and will lead nowhere"),
}
"""What becomes of records that refer to a deleted one: of one, of several."""
FURTHER: Mapping[Follows | None, tuple[str, str]] = {
    "deleted": ("refers to {} and will be deleted too", "refer to {} and will be deleted too"),
    "refused": (
        "refers to {}: the database refuses while that is so",
        "refer to {}: the database refuses while they do",
    ),
}
"""What becomes of records that refer to what is deleted with a record."""


@blueprint.route("/new/c/<collection>", methods=["GET", "POST"])
def new(collection: str) -> Response:
    """Show the form of a new record, `like` another one; a POST adds it and opens it."""
    like = request.args.get("like") or None
    form = hand_forms.new_record(frame.actor(), collection, like)
    if request.method != "POST":
        return _new_form(form, like)
    typed = {
        name: value
        for name, value in form_boxes.read_form(_filled_in(form), frame.look()).items()
        if name in _names(form.fields)
    }
    try:
        given = hand_forms.blanks(form) | {name: value for name, value in typed.items() if value is not None}
        hand_forms.require_filled(form, given)
        made = record_changes.create(frame.actor(), collection, given)
    except (Invalid, Conflict, NotAllowed, SourceDown) as wrong:
        return _new_form(form, like, typed=typed, wrong=wrong, status=wrong.status)
    flash(f"{form.collection.label_one} “{made.title}” was added.")
    if not made.values:  # it was added outside of what its author sees
        return frame.redirect_to(frame.collection_url(collection))
    return frame.redirect_to(frame.record_url(collection, made.key))


@blueprint.route("/c/<collection>/<part>/edit", methods=["GET", "POST"])
def edit(collection: str, part: str) -> Response:
    """Show all fields that the reader may change; a POST saves those that were changed, unless somebody else changed them meanwhile."""
    key = frame.key_of(part)
    try:
        page = browse.record(frame.actor(), collection, key, labels=True)
    except NotFound as gone:
        if request.method == "POST":
            gone.message = GONE
        raise
    fields = [item for item in page.fields if records.editable(page, item)]
    if not fields:
        raise NotAllowed(
            "Nothing of this record can be changed by you here.", need=(f"collection:{collection}", "update")
        )
    if page.collection.form is not None:
        fields.sort(key=lambda item: (page.collection.form or ()).index(item.name))
    now = {item.name: page.record.values.get(item.name) for item in fields}
    if request.method != "POST":
        return _edit_form(page, fields, now)
    old = _old_values(now)
    typed = {
        name: value for name, value in form_boxes.read_form(request.form, frame.look()).items() if name in now
    }
    changed = {name: value for name, value in typed.items() if value != old[name]}
    try:
        if changed:
            browse.change(frame.actor(), collection, key, changed, {name: old[name] for name in changed})
    except Conflict as conflict:
        theirs = {
            str(detail["field"]): detail.get("theirs")
            for detail in conflict.details
            if detail.get("field") in now
        }
        conflict.details = concurrent_changes.with_changers(conflict.details, collection, key)
        return _edit_form(page, fields, old | theirs, typed=typed, wrong=conflict, status=409)
    except (Invalid, NotAllowed, SourceDown) as wrong:
        return _edit_form(page, fields, old, typed=typed, wrong=wrong, status=wrong.status)
    flash(
        f"{len(changed)} {'field' if len(changed) == 1 else 'fields'} of “{page.record.title}” saved."
        if changed
        else "Nothing was changed."
    )
    return frame.redirect_to(frame.record_url(collection, key))


@blueprint.route("/c/<collection>/<part>/delete", methods=["GET", "POST"])
def delete(collection: str, part: str) -> Response:
    """Show what deleting the record brings with it; a POST deletes it if it is still as it was shown."""
    key = frame.key_of(part)
    found = hand_forms.deletion(frame.actor(), collection, key)
    if request.method != "POST":
        return _delete_form(found)
    try:
        seen = json.loads(request.form.get("old", "null"))
        expected = seen if isinstance(seen, dict) else {}
        record_changes.delete(
            frame.actor(),
            collection,
            key,
            {name: seen for name, seen in expected.items() if name in _compared(found)},
        )
    except (Conflict, Invalid, ValueError) as wrong:
        refusal = (
            wrong
            if isinstance(wrong, ConsoleError)
            else Invalid("This form could not be read: nothing was deleted. Look again.")
        )
        refusal.details = concurrent_changes.with_changers(refusal.details, collection, key)
        return _delete_form(
            hand_forms.deletion(frame.actor(), collection, key), wrong=refusal, status=refusal.status
        )
    flash(f"{found.page.collection.label_one} “{found.page.record.title}” was deleted.")
    return frame.redirect_to(frame.collection_url(collection))


# -- what the forms draw


def _new_form(
    form: NewRecord,
    like: str | None,
    *,
    typed: Mapping[str, Any] | None = None,
    wrong: ConsoleError | None = None,
    status: int = 200,
) -> Response:
    collection = form.collection
    sources = [
        box_source(item, filled=item.name in form.filled) | {"value": form.values.get(item.name)}
        for item in form.fields
    ]
    asked = _names(form.fields)
    for source in sources:
        beside = str(source.get("currency") or "")
        if beside not in asked and form.filled.get(beside):
            source["currency"] = form.filled[beside]
    context = {
        "collection": collection,
        "copied": like is not None,
        "governed": [(item.label, governor.words) for item, governor in form.governed],
        "action": records.new_url(collection.id, like),
        "cancel": frame.collection_url(collection.id)
        if like is None
        else frame.record_url(collection.id, like),
    }
    return _form("records/new.html", context, sources, typed, wrong, status)


def _edit_form(
    page: RecordPage,
    fields: Sequence[Field],
    old: Mapping[str, Any],
    *,
    typed: Mapping[str, Any] | None = None,
    wrong: ConsoleError | None = None,
    status: int = 200,
) -> Response:
    sources = [box_source(item) | {"value": old[item.name]} for item in fields]
    url = frame.record_url(page.collection.id, page.record.key)
    context = records.record_context(page) | {
        "old": json.dumps(dict(old)),
        "governed": [
            (item.label, page.governed[item.name].words) for item in page.fields if item.name in page.governed
        ],
        "action": f"{url}/edit",
        "cancel": url,
        "conflict": isinstance(wrong, Conflict),
    }
    return _form("records/edit_all.html", context, sources, typed, wrong, status)


def _form(
    template: str,
    context: Mapping[str, Any],
    sources: Sequence[Mapping[str, Any]],
    typed: Mapping[str, Any] | None,
    wrong: ConsoleError | None,
    status: int,
) -> Response:
    labels = {str(source["name"]): str(source["label"]) for source in sources}
    details = [
        {**detail, "field": str(detail.get("field") or "")} for detail in (wrong.details if wrong else ())
    ]
    shown = dict(context) | {
        "boxes": form_boxes.boxes(
            {"fields": sources}, reference_boxes.look_for(sources, typed), typed=typed, errors=details
        ),
        "error": errors.error_message(wrong) if wrong and not details else refusals.head(wrong, labels),
        "wrong": refusals.lines([detail for detail in details if detail["field"] in labels], labels),
    }
    return frame.page(template, shown, status=status)


def box_source(item: Field, *, filled: bool = False) -> dict[str, Any]:
    """Return the field as its box takes it. `filled`: the database has a value of its own for it."""
    help_text = item.help if not item.help or item.help.endswith((".", "?", "!")) else f"{item.help}."
    helped = " ".join(filter(None, (help_text, FILLED))) if filled else item.help
    needed = item.needed
    return item.to_json() | {"help": helped or None, "required": needed and not filled, "readonly": False}


def _filled_in(form: NewRecord) -> MultiDict[str, str]:
    """Return the form as it was sent; a currency that was left empty is the one that the database gives: amounts beside it are read by its decimals."""
    sent = MultiDict(request.form)
    for name in {str(item.currency) for item in form.fields if item.currency}:
        if form.filled.get(name) and not sent.get(form_boxes.PREFIX + name):
            sent[form_boxes.PREFIX + name] = form.filled[name]
    return sent


def _names(fields: Sequence[Field]) -> set[str]:
    return {item.name for item in fields}


def _old_values(now: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that the form was drawn with; those of now where it does not tell."""
    try:
        values = json.loads(request.form.get("old", "{}"))
    except (ValueError, RecursionError):
        values = {}
    return {
        name: values[name] if isinstance(values, dict) and name in values else value
        for name, value in now.items()
    }


def _compared(found: Deletion) -> dict[str, Any]:
    """Return the values that were shown and are compared when the record is deleted; those that are worked out cannot be."""
    stored = found.page.collection.by_name
    return {
        item.name: found.page.record.values.get(item.name)
        for item in found.page.fields
        if item.name in stored and item.type not in formats.SHOWN_ONLY
    }


def _delete_form(found: Deletion, *, wrong: ConsoleError | None = None, status: int = 200) -> Response:
    page = found.page
    url, times = (
        frame.record_url(page.collection.id, page.record.key),
        Counter(each.collection.id for each in found.referring if each.count and each.through is None),
    )
    context = records.record_context(page) | {
        "found": found,
        "follows": [
            follows(each, url, several=times[each.collection.id] > 1 and each.through is None)
            for each in found.referring
            if each.count
        ],
        "old": json.dumps(_compared(found)),
        "action": f"{url}/delete",
        "cancel": url,
        "error": errors.error_message(wrong) if wrong else "",
        "changed": [
            f"{item.label} is now {formats.text(formats.kind(item), detail['theirs'], frame.look()) or 'empty'}. {detail['reason']}"
            for detail in (wrong.details if wrong else ())
            if "theirs" in detail and (item := page.collection.by_name.get(str(detail["field"])))
        ],
    }
    return frame.page("records/delete.html", context, blocks={"*": "dialog"}, status=status)


def follows(referring: Referring, here: str, *, several: bool) -> dict[str, Any]:
    """Return how many records of a relation refer to the record, and what becomes of them, in words; by which field, where `several` of theirs do."""
    by = (
        " and ".join(referring.collection.by_name[there].label for _, there in referring.relation.columns)
        if several
        else ""
    )
    many = (
        f"More than {hand_forms.MOST_COUNTED:,}"
        if referring.count > hand_forms.MOST_COUNTED
        else f"{referring.count:,}"
        if referring.count > 0
        else "Some"
    )
    words = (
        UNTOLD
        if referring.count < 0
        else (FURTHER if referring.through else FOLLOWS)[referring.follows][referring.count != 1]
    )
    single, plural = uncapitalised(referring.collection.label_one), referring.collection.spoken
    named = single if referring.count == 1 else plural
    if single == plural:  # a table whose name is no plural
        named = f"record{'' if referring.count == 1 else 's'} of {referring.collection.label}"
    return {
        "head": f"{many} {named}{f' by “{by}”' if by else ''}",
        "words": words.format(referring.through.label) if referring.through else words,
        "tone": {"deleted": "bad", "refused": "warn"}.get(referring.follows or "", ""),
        "href": None if referring.through else f"{here}/related/{frame.segment(referring.relation.name)}",
    }
