"""The documents that blocks show: where each is found, its page with the passage framed, and whether it was opened."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from console import documents
from console.core.actor import Actor
from console.core.blocks import Data
from console.core.blocks.base import hidden, number_in
from console.core.errors import ConsoleError
from console.documents import Document, Looked
from console.views import frame
from console.views.documents import files

NEVER = "Never opened"
"""What is said of a document that came after the newest event."""


class Papers:
    """The documents beside one run as its reader may see them. Nothing is looked up before a block asks. `at`: what was opened up to that event."""

    def __init__(self, actor: Actor, run: Mapping[str, Any], at: int | None = None) -> None:
        self.actor, self.run, self.at = actor, run, at

    @cached_property
    def listed(self) -> list[Document]:
        """The documents beside the run; none where they cannot be listed."""
        try:
            return documents.documents_of_run(
                self.actor, self.run["id"], self.run["collection"], self.run["record"]
            )
        except ConsoleError:
            return []

    @cached_property
    def looked(self) -> Mapping[str, Looked]:
        """What was opened of each, by its reference."""
        try:
            return {
                look.ref: look for look in documents.opened_documents(self.actor, self.run["id"], self.at)
            }
        except ConsoleError:
            return {}

    def query(self, data: Data) -> dict[str, Any] | None:
        """The parameters that open the document of this block in the pane; None where there is none that can be opened."""
        document = (
            None
            if hidden(data["document"])
            else documents.document_named(self.listed, data["document"].get("value"))
        )
        if document is None or document.why_not:
            return None
        page, passage = number_in(data.get("page")), data.get("passage") or {}
        number = int(page) if page is not None and 1 <= page < 10_000 else None
        text = passage.get("value") if not hidden(passage) else None
        place = (
            documents.place_of(self.actor, self.run["id"], document, text, number)
            if isinstance(text, str)
            else None
        )
        box = "-".join(str(round(side * 1000)) for side in place[1]) if place else None
        return {"tab": "documents", "doc": document.ref, "page": place[0] if place else number, "box": box}

    def __call__(self, data: Data) -> dict[str, Any] | None:
        """What the block of this data draws of its document; None where the reader has no such document."""
        document = (
            None
            if hidden(data["document"])
            else documents.document_named(self.listed, data["document"].get("value"))
        )
        if document is None:
            return None
        query, looked = self.query(data), self.looked.get(document.ref)
        page = (query or {}).get("page") or 1
        return {
            "title": document.title,
            "detail": document.detail,
            "why_not": document.why_not,
            "page": page,
            "pages": document.pages or (looked.pages if looked else None),
            "framed": bool(query and query["box"]),
            "href": frame.run_url(self.run["id"], **query) if query else None,
            "own": files.file_url(document.ref, page=page if page > 1 else None),
            "opened": looked.words if looked else NEVER if self.at is None else "",
            "never": (not looked.opened or bool(looked.never)) if looked else self.at is None,
        }


def first_open(content: Any, papers: Papers) -> dict[str, str]:
    """Return the parameters of the pane for the first document of these blocks that opens with the step; empty for none."""
    for data in content or ():
        if data.get("block") == "document" and data.get("open") and (query := papers.query(data)) is not None:
            return {name: str(value) for name, value in query.items() if value is not None}
    return {}
