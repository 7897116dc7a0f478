"""Notes on records for programs: those of one record, written and removed there, and all that an auditor may see."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import Field

from console.browse import notes
from console.core.errors import Malformed
from console.core.expressions.operands import moment_of
from console.views.api import idempotency, listing
from console.views.api.operation import Asked, Done, Example, Limit, Paged, Sent, operation, parse_query, read
from console.views.api.shapes import Listed, Note, NotesFound

blueprint = Blueprint("api_notes", __name__, url_prefix="/api/v1")

RECORD = {"collection": "customer", "key": "17"}
MOMENTS = ("gt", "gte", "lt", "lte")


class NewNote(Sent):
    """A note: 1 to 4,000 characters. `@` and a name or the beginning of an e-mail address tells that person."""

    text: str


class NotesWanted(Asked):
    """Filters of notes."""

    user: str | None = Field(None, description="Who wrote it")
    collection: str | None = None
    record: str | None = Field(None, description="Key of a record, with `collection`")
    gt: str | None = Field(None, alias="createdAt.gt", description="A moment such as 2026-11-20T06:30:00Z")
    gte: str | None = Field(None, alias="createdAt.gte")
    lt: str | None = Field(None, alias="createdAt.lt")
    lte: str | None = Field(None, alias="createdAt.lte")
    limit: Limit = 10
    after: str | None = Field(None, description="The `next` of the page before")


@blueprint.get("/notes")
@operation(
    "findNotes",
    "activity.read",
    NotesFound,
    query=NotesWanted,
    refuses=(403,),
    example=Example(query={"limit": 5}),
)
def find() -> ResponseReturnValue:
    """Notes on records that the caller sees, of all collections, newest first; for who may read the activity log."""
    wanted = parse_query(NotesWanted)
    if wanted.record and not wanted.collection:
        raise Malformed("A record is named with its collection.", at=("collection", "Needed with record."))
    about: dict[str, Any] = {
        name: value for name in ("user", "collection", "record") if (value := getattr(wanted, name))
    }
    found, following = notes.search(
        g.actor, {**about, **_moments(wanted)}, wanted.limit, wanted.after or None
    )
    return {"data": [_note_json(note) for note in found], "hasMore": following is not None, "next": following}


@blueprint.get("/collections/<collection>/records/<key>/notes")
@operation("listNotes", "collection.read", Listed[Note], query=Paged, example=Example(RECORD))
def of_record(collection: str, key: str) -> ResponseReturnValue:
    """Notes on a record, newest first."""
    wanted = parse_query(Paged)
    found, following = notes.notes_of(g.actor, collection, key, wanted.limit, wanted.after or None)
    return listing([_note_json(note) for note in found], following)


def _added(done: Done) -> dict[str, Any] | None:
    return _note_json(notes.note_of(g.actor, done.made)) if done.made else None


@blueprint.post("/collections/<collection>/records/<key>/notes")
@operation(
    "addNote",
    "collection.update",
    {201: Note},
    body=NewNote,
    again=_added,
    example=Example(RECORD, body={"text": "Called back; they send the mandate on Monday."}),
)
def add(collection: str, key: str) -> ResponseReturnValue:
    """Write a note on a record, for who works on records of the collection."""
    note_id = notes.add(g.actor, collection, key, read(NewNote).text)
    idempotency.name_result(note_id)
    return _note_json(notes.note_of(g.actor, note_id)), 201


@blueprint.delete("/notes/<note_id>")
@operation("removeNote", "collection.read", {204: None})
def remove(note_id: str) -> ResponseReturnValue:
    """Take the text and files of one's own note away; a mark stays."""
    notes.remove(g.actor, note_id)
    return "", 204


def _moments(wanted: NotesWanted) -> Mapping[str, datetime]:
    """The moments of the filter. Raises Malformed for a text that is none."""
    found: dict[str, datetime] = {}
    for name in MOMENTS:
        given = getattr(wanted, name)
        if given is None:
            continue
        at = moment_of(given)
        if at is None or at.tzinfo is None:
            reason = "A moment with its zone, such as 2026-11-20T06:30:00Z."
            raise Malformed(f"createdAt.{name}: {reason}", at=(f"createdAt.{name}", reason))
        found[name] = at
    return found


def _note_json(note: notes.Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "collection": note.collection,
        "record": note.record,
        "by": {"id": note.by_id, "name": note.by},
        "at": note.at.isoformat().replace("+00:00", "Z"),
        "text": note.text,
        "removed": note.removed,
        "people": list(note.people),
        "files": [file.value for file in note.files],
    }
