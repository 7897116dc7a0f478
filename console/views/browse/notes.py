"""Notes on a record: read beside its summary, written there, removed by their author."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask import Blueprint, Response, request

from console import browse
from console.auth import accounts
from console.browse import notes
from console.core import media
from console.core.errors import Invalid
from console.views import frame
from console.views.browse import records

blueprint = Blueprint("notes", __name__)
SHOWN = 20
NOTHING: Mapping[str, str] = MappingProxyType({})


@blueprint.route("/c/<collection>/<part>/notes", methods=["GET", "POST"])
def on_record(collection: str, part: str) -> Response:
    """Show the notes on a record; a POST adds one."""
    key = frame.key_of(part)
    if request.method != "POST":
        return _page(collection, key)
    try:
        sent = [(str(file.filename), file.read()) for file in request.files.getlist("file") if file.filename]
        notes.add(frame.actor(), collection, key, request.form.get("text", ""), sent)
    except Invalid as wrong:
        at = "file" if wrong.details[0]["field"] == "file" else "text"
        return _page(
            collection,
            key,
            typed=request.form.get("text", ""),
            wrong={at: str(wrong.details[0]["reason"])},
            status=422,
        )
    if frame.wants_fragment():
        return _page(collection, key)
    return frame.redirect_to(frame.record_url(collection, key) + "#notes")


@blueprint.get("/c/<collection>/<part>/notes/people")
def people(collection: str, part: str) -> Response:
    """Offer the people whom a note on the record may name, as somebody types after an @."""
    found = notes.people_to_name(frame.actor(), collection, frame.key_of(part), request.args.get("q", ""))
    rows = [{"key": way, "title": name, "beside": f"@{way}"} for way, name in found]
    return frame.page(
        "runner/offered.html",
        {"rows": rows, "trouble": "" if rows else "Nobody who may see this record is called so"},
        blocks={"*": "offered"},
    )


@blueprint.get("/notes/<note_id>")
def show(note_id: str) -> Response:
    """Go to the record that the note is on."""
    collection, key = notes.place_of(frame.actor(), note_id)
    return frame.redirect_to(frame.record_url(collection, key) + "#notes")


@blueprint.post("/notes/<note_id>/remove")
def remove(note_id: str) -> Response:
    """Remove a note of one's own."""
    collection, key = notes.remove(frame.actor(), note_id)
    if frame.wants_fragment():
        return _page(collection, key)
    return frame.redirect_to(frame.record_url(collection, key) + "#notes")


def _page(
    collection: str, key: str, *, typed: str = "", wrong: Mapping[str, str] = NOTHING, status: int = 200
) -> Response:
    who = frame.actor()
    found, older = notes.notes_of(who, collection, key, SHOWN, request.args.get("before"))
    url = frame.record_url(collection, key) + "/notes"
    context: dict[str, Any] = (
        {} if frame.wants_fragment() else records.record_context(browse.record(who, collection, key))
    )
    context |= {
        "notes": found,
        "people": accounts.names({each for note in found for each in note.people}),
        "older": frame.with_query(url, {"before": older}) if older else None,
        "may_write": notes.may_write(who, collection),
        "action": url,
        "typed": typed,
        "wrong": wrong,
        "takes": media.endings(tuple(media.MEDIA)),
    }
    return frame.page("records/notes.html", context, blocks={"*": "notes"}, status=status)
