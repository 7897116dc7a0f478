"""Files that people hand in: checked by their bytes, kept encrypted under the key of whom they are about, shown as pictures of their pages."""

from console.core.media import DRAWN
from console.files import texts
from console.files.pictures import languages, page
from console.files.scan import Infected
from console.files.sniff import Refused, examine, media_type_of
from console.files.store import Stored, content, expire, find, forget, kept, of_request, of_run, put, release, remove, restore, sweep, there

__all__ = [
    "DRAWN",
    "Infected",
    "Refused",
    "Stored",
    "content",
    "examine",
    "expire",
    "find",
    "forget",
    "kept",
    "languages",
    "media_type_of",
    "of_request",
    "of_run",
    "page",
    "put",
    "release",
    "remove",
    "restore",
    "sweep",
    "texts",
    "there",
]  # fmt: skip
