"""Files that people hand in: checked by their bytes, kept encrypted under the key of whom they are about, shown as pictures of their pages."""

from console.core.media import DRAWN
from console.infra.files import texts
from console.infra.files.file_store import (
    Stored,
    add,
    check,
    content,
    expire,
    find,
    forget,
    has_bytes,
    of_request,
    of_run,
    of_runs,
    put,
    release,
    remove,
    restore,
    stored_files,
    sweep,
)
from console.infra.files.file_type import Refused, examine, media_type_of
from console.infra.files.page_pictures import languages, page

OPEN_MODULES = frozenset({"confined_process", "virus_scan"})
