"""What stands in the documents beside a run, page by page, as far as one person may open them: for proposals and for checks.

Reading takes time (a picture that has to be recognised: seconds), so it belongs into the background; what was read is kept under the key of the run's
subject. It opens no transaction of its own while it reads.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from console import log
from console.core.actor import Actor
from console.core.errors import ConsoleError, NotFound, TooMany
from console.core.papers.extracting import Facts, facts_of
from console.core.papers.pages import Box, Line, Origin, Read
from console.documents.viewed_documents import Document, Opened, content_of, documents_of_run
from console.infra import files
from console.runs.commands.run_rights import see

MOST_DOCUMENTS = 12
MOST_PAGES = 30
MOST_TEXT = 200_000
PATTERNS = ("dates", "amounts")
"""Names under which rules gather many values: of a page they are lists."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a document as it was read. `origin` is pdf, ocr, or none where nothing was read (`why` says why, and there are no lines).

    `document` leads to it (`/files/<document>`), `page` counts from 1. `data` is what rules found: name → value as printed, or a list where several
    stand there; `boxes` and `labels` are name → where (parts of the page from its upper left corner) and what it is called. `collection`, `record` and
    `column` are those of a record's file, `slot` the name under which a file was handed in. `trusted` is False for every document: whoever brought
    it, others have written it.
    """

    document: str
    title: str
    page: int
    text: str
    lines: Sequence[Line]
    origin: Origin
    why: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    boxes: Mapping[str, Box] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    collection: str | None = None
    record: str | None = None
    column: str | None = None
    slot: str | None = None
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A document with its pages and what rules tell of them; `why` where it could not be read at all."""

    document: Document
    pages: Sequence[Read] = ()
    facts: Facts = field(default_factory=Facts)
    sha256: str = ""
    why: str = ""


def pages_of(
    actor: Actor,
    run_id: str,
    *,
    recognise: bool = True,
    only: Collection[str] | None = None,
    seconds: float | None = None,
    of: Sequence[Document] | None = None,
) -> list[Page]:
    """The pages of the documents that the actor may open beside the run, those of the newest document first; pages without text too, with `why`.

    At most 12 documents, 30 pages and 200,000 characters. `only` are references of documents; `recognise`: read pictures as well, by Tesseract where it is
    installed; `of`: these documents in place of all beside the run; `seconds`: begin with nothing new when they are over. Documents that are in the archive, or of no kind with pages, are left out.
    Raises NotFound for a run that is not this actor's to see. A document that cannot be opened is one page without text.
    """
    found: list[Page] = []
    left = MOST_TEXT
    for text in read(actor, run_id, recognise=recognise, only=only, seconds=seconds, of=of):
        for page in _pages(text):
            if len(found) == MOST_PAGES or left <= 0:
                return found
            if len(page.text) <= left:
                found.append(page)
            left -= len(page.text)
    return found


def read(
    actor: Actor,
    run_id: str,
    *,
    recognise: bool = True,
    only: Collection[str] | None = None,
    seconds: float | None = None,
    of: Sequence[Document] | None = None,
) -> Iterator[Told]:
    """The documents beside the run with what was read of them, as `pages_of` has them."""
    seen = see(actor, run_id)
    until = time.monotonic() + seconds if seconds is not None else None
    every = documents_of_run(actor, run_id, seen.run.collection, seen.run.record) if of is None else of
    listed = [one for one in every if not one.why_not]
    wanted = [one for one in listed if only is None or one.ref in only]
    for document in wanted[:MOST_DOCUMENTS]:
        text = _read_document(actor, document, seen.loaded.subject, recognise=recognise, until=until)
        if text is not None:
            yield text


def _read_document(
    actor: Actor, document: Document, subject: str | None, *, recognise: bool, until: float | None
) -> Told | None:
    """The document as it was read; None where its kind has no pages, or it is gone meanwhile."""
    try:
        opened = content_of(actor, document.ref)
    except NotFound:
        return None
    except ConsoleError as error:
        return Told(document, why=error.message)
    if not opened.media_type or opened.media_type not in files.DRAWN:
        return None
    try:
        pages, _ = files.texts.pages(
            subject, opened.content, opened.media_type, recognise=recognise, until=until
        )
    except TooMany as error:
        return Told(document, sha256=opened.sha256, why=error.message)
    return Told(document, pages, facts_of(pages, log.now().date()), opened.sha256)


def kept_text(opened: Opened, subject: str | None) -> Told | None:
    """The document as read earlier, None if it was not read yet."""
    pages = files.texts.kept_pages(subject, opened.sha256, recognise=True)
    return (
        None
        if pages is None
        else Told(opened.document, pages, facts_of(pages, log.now().date()), opened.sha256)
    )


def _pages(text: Told) -> Iterator[Page]:
    document = text.document
    where = (document.collection, document.record, document.column, document.slot)
    if text.why:
        yield Page(document.ref, document.title, 1, "", (), "none", text.why, {}, {}, {}, *where)
    for page in text.pages:
        data, boxes, labels = _data(text.facts, page.number)
        yield Page(
            document.ref,
            document.title,
            page.number,
            page.text,
            page.lines,
            page.origin,
            page.why,
            data,
            boxes,
            labels,
            *where,
        )


def _data(facts: Facts, number: int) -> tuple[dict[str, Any], dict[str, Box], dict[str, str]]:
    """(name → value, name → box, name → label) of one page. Where different values stand under one name, it is a list, without a box."""
    data: dict[str, Any] = {}
    boxes: dict[str, Box] = {}
    labels: dict[str, str] = {}
    for fact in facts.found:
        if fact.page != number:
            continue
        labels.setdefault(fact.name, fact.label)
        if fact.name in PATTERNS or fact.name in data:
            before = data.get(fact.name, [])
            data[fact.name] = [*(before if isinstance(before, list) else [before]), fact.value]
            boxes.pop(fact.name, None)
        else:
            data[fact.name], boxes[fact.name] = fact.value, fact.box
    return data, boxes, labels
