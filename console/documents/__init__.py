"""Documents beside a run: to be looked at page by page, to be read by rules and proposals, and to be checked against the record."""

from console.documents.checklist import Checklist, Entry, checklist, read_ordered
from console.documents.document_text import Page, pages_of
from console.documents.named_papers import of_item
from console.documents.opened_pages import Looked, checks_then, opened_documents, pages_by
from console.documents.passages import document_named, place_of
from console.documents.viewed_documents import (
    ARCHIVE,
    WIDTHS,
    Document,
    Opened,
    documents_of_run,
    download,
    first_page,
    open_document,
    page,
)

OPEN_MODULES = frozenset({"requests"})
