"""Contacts from a CSV file: choose it, look at what each line would become, add those that can be added."""

from typing import Any

from flask import Blueprint, Response, request

from console import browse
from console.contacts import imports
from console.core.documents.collections import Collection
from console.errors import Conflict, Invalid
from console.views import formats, frame

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
        if "content" in request.form:
            text, encoding = request.form["content"], request.form.get("encoding", "UTF-8")
        else:
            sent = request.files.get("file")
            text, encoding = imports.decode(sent.read(imports.MOST_BYTES + 1) if sent is not None else b"")
        if "go" not in request.form:
            return _page(here, sheet=imports.read(who, collection, text, encoding), text=text)
        added, left = imports.add(who, collection, text, encoding)
    except Invalid as wrong:
        return _page(here, wrong=wrong.message, status=422)
    except Conflict as busy:
        return _page(here, sheet=imports.read(who, collection, text, encoding), text=text, wrong=busy.message, status=409)
    return _page(here, added=added, left=[(line, _named(here, line)) for line in left[:SHOWN]], left_number=len(left))


def _page(here: Collection, *, status: int = 200, sheet: imports.Sheet | None = None, text: str = "", **more: Any) -> Response:
    context: dict[str, Any] = {
        "collection": here, "url": f"/import{frame.collection_url(here.id)}", "back": frame.collection_url(here.id, segment=""), "most": imports.MOST_LINES,
        "wrong": "", "sheet": None, "added": None, "left": [], "left_number": 0,
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
            "left_out": [heading for heading, field in sheet.columns if field is None],
        }  # fmt: skip
    return frame.page("lists/import.html", context | more, status=status)


def _named(here: Collection, line: imports.Line) -> str:
    name = here.contact.name if here.contact is not None else None
    return str(line.values.get(name or "") or "")
