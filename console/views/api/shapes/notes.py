"""Notes on records."""

from pydantic import Field

from console.views.api.shapes.base import Cursor, Moment, Shape
from console.views.api.shapes.files import FileValue


class NoteAuthor(Shape):
    """Who wrote a note."""

    id: str
    name: str


class Note(Shape):
    """A note on a record. `people` are the ids of those whom it names; `text` is null where its author removed it, or it was erased with its subject."""

    id: str
    collection: str
    record: str
    by: NoteAuthor
    at: Moment
    text: str | None
    removed: bool
    people: list[str]
    files: list[FileValue]


class NotesFound(Shape):
    """A page of notes, newest first."""

    data: list[Note]
    has_more: bool = Field(alias="hasMore")
    next: Cursor
