"""Documents beside a run: to be looked at page by page, to be read by rules and proposals, and to be checked against the record."""

from console.documents.looking import ARCHIVE, WIDTHS, Document, Opened, beside, download, opened, page
from console.documents.reading import Page, pages_of

__all__ = ["ARCHIVE", "WIDTHS", "Document", "Opened", "Page", "beside", "download", "opened", "page", "pages_of"]
