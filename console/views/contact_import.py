"""Contacts from a CSV file: choose it, look at what each line would become, add those that can be added."""

from typing import Any

from flask import Blueprint, Response, request

from console import browse
from console.contacts import consent_columns, imports
from console.contacts.encodings import ENCODINGS
from console.core.documents.collections import Collection
from console.errors import Conflict, Invalid
from console.views import formats, frame
from console.views.run import form_boxes

blueprint = Blueprint("contact_import", __name__)
SHOWN = 50


@blueprint.route("/import/c/<collection>", methods=["GET", "POST"])
def show(collection: str) -> Response:
    """Show the form for the file; a POST shows its lines, and with `go` adds those that can be added."""
    who = frame.actor()
    here, _ = browse.browsed_collection(who, collection)
    imports.require_import(who, here)
    if request.method != "POST":
        return _page(here)
    try:
        chosen = False
        if "content" in request.form:
            text, was = request.form["content"], request.form.get("was", imports.DEFAULT)
            encoding = request.form.get("encoding", was)
            if chosen := encoding != was:
                text, encoding = imports.decode_again(text, was, encoding)
        else:
            sent = request.files.get("file")
            text, encoding = imports.decode(sent.read(imports.MOST_BYTES + 1) if sent is not None else b"")
        if chosen or "go" not in request.form:
            return _page(here, sheet=imports.read(who, collection, text, encoding, _same()), text=text)
        added = imports.add(who, collection, text, encoding, _same())
    except Invalid as wrong:
        return _page(here, wrong=wrong.message, status=422)
    except Conflict as busy:
        return _page(here, sheet=imports.read(who, collection, text, encoding, _same()), text=text, wrong=busy.message, status=409)
    told = [*added.left, *added.without]
    return _page(
        here,
        added=added.done,
        consents=added.consents,
        keeps_consent=consent_columns.place_of(who, here) is not None,
        left=[(line, _named(here, line)) for line in told[:SHOWN]],
        left_number=len(added.left),
    )


def _same() -> dict[str, Any]:
    """Return what was typed about the consents of all lines."""
    return {name: value for name, value in form_boxes.read_form(request.form, frame.look()).items() if value not in (None, "")}


def _page(here: Collection, *, status: int = 200, sheet: imports.Sheet | None = None, text: str = "", **more: Any) -> Response:
    context: dict[str, Any] = {
        "collection": here, "url": f"/import{frame.collection_url(here.id)}", "back": frame.collection_url(here.id, segment=""), "most": imports.MOST_LINES,
        "wrong": "", "sheet": None, "added": None, "left": [], "left_number": 0, "consents": 0, "keeps_consent": False,
        "asked": _consent_columns(here),
    }  # fmt: skip
    if sheet is not None:
        good = [line for line in sheet.lines if not line.reasons]
        bad = [line for line in sheet.lines if line.reasons]
        fields = [field for _, field in sheet.columns if field is not None]
        look = frame.look()
        shown = [
            (line, [formats.html(formats.kind(field), line.values.get(field.name), look) for field in fields])
            for line in (*bad[:SHOWN], *good[:SHOWN])
        ]
        context |= {
            "sheet": sheet, "text": text, "fields": fields, "shown": shown, "good": len(good), "bad": len(bad),
            "encodings": list(ENCODINGS.items()), "left_out": sheet.unused, "agreed": _agreed(sheet), "boxes": _boxes(sheet, look), "channels": consent_columns.NAMES,
        }  # fmt: skip
    return frame.page("lists/import.html", context | more, status=status)


def _consent_columns(here: Collection) -> str:
    """Return the name of a column that says who agreed, for the channels that the collection keeps consent to; empty where there is none."""
    place = consent_columns.place_of(frame.actor(), here)
    names = [f"“{name}”" for channel, name in consent_columns.COLUMNS.items() if place is not None and channel in place.documents][:3]
    return " and ".join(", ".join(names).rsplit(", ", 1))


def _agreed(sheet: imports.Sheet) -> list[tuple[str, int]]:
    """Return (channel in words, how many of those who can be added agreed to it) for the columns of the file."""
    good = [line for line in sheet.lines if not line.reasons]
    return [
        (consent_columns.NAMES[channel], sum(channel in line.consents for line in good))
        for channel in dict.fromkeys(sheet.consents.channels.values())
    ]


def _boxes(sheet: imports.Sheet, look: formats.Look) -> list[Any]:
    """Return the form for what is the same for the consents of all lines."""
    place = sheet.consents.place
    needed = place.needed if place is not None else frozenset()
    sources = [one.to_json() | {"required": one.name in needed, "readonly": False} for one in sheet.consents.fields]
    typed = form_boxes.read_form(request.form, look)
    return list(form_boxes.boxes({"fields": sources}, look, typed=typed or None, errors=[]))


def _named(here: Collection, line: imports.Line) -> str:
    name = here.contact.name if here.contact is not None else None
    return str(line.values.get(name or "") or "")
