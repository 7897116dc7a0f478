"""Which document beside a run a block means, and where a passage stands in it, as far as it was read before."""

from collections.abc import Sequence
from typing import Any

from console.core.actor import Actor
from console.core.errors import ConsoleError
from console.core.papers.pages import Box, Read, Word, bounding_box
from console.documents.document_text import kept_text
from console.documents.viewed_documents import Document, content_of
from console.infra import files
from console.runs.commands.run_rights import see


def document_named(documents: Sequence[Document], value: Any) -> Document | None:
    """The first of these documents that the value names: a file, its id or reference, what it was handed in for, its title, the key of its record or its column."""
    name = (
        value.get("file")
        if isinstance(value, dict)
        else str(value)
        if isinstance(value, int) and not isinstance(value, bool)
        else value
    )
    if not isinstance(name, str) or not name:
        return None
    return next(
        (
            document
            for part in ("ref", "slot", "title", "record", "column")
            for document in documents
            if getattr(document, part) == name
        ),
        None,
    )


def place_of(
    actor: Actor, run_id: str, document: Document, passage: str, page: int | None
) -> tuple[int, Box] | None:
    """(page, box) of the passage in the document; None where it was not read before, or does not hold it. Nothing is read for this."""
    wanted = passage.casefold().split()
    if not wanted or document.why_not:
        return None
    try:
        opened = content_of(actor, document.ref)
        if not opened.media_type or opened.media_type not in files.DRAWN:
            return None
        text = kept_text(opened, see(actor, run_id).loaded.subject)
    except ConsoleError:
        return None
    for read in text.pages if text is not None else ():
        if page in (None, read.number) and (box := _within(read, wanted)) is not None:
            return read.number, box
    return None


def _within(page: Read, wanted: list[str]) -> Box | None:
    """The box around the first place where these words follow each other."""
    words = [word for line in page.lines for word in (line.words or (Word(line.text, line.box),))]
    flat = [(piece, word.box) for word in words for piece in word.text.casefold().split()]
    for at in range(len(flat) - len(wanted) + 1):
        if [piece for piece, _ in flat[at : at + len(wanted)]] == wanted:
            return bounding_box(box for _, box in flat[at : at + len(wanted)])
    return None
