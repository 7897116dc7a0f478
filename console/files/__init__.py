"""Files that people hand in: checked by their bytes, kept encrypted under the key of whom they are about, shown as pictures of their pages."""

from console.files.pictures import page
from console.files.scan import Infected
from console.files.sniff import Refused, examine
from console.files.store import Stored, content, expire, find, forget, kept, of_request, of_run, put, release, remove, restore, sweep

__all__ = [
    "Infected", "Refused", "Stored", "content", "examine", "expire", "find", "forget", "kept", "of_request", "of_run", "page", "put",
    "release", "remove", "restore", "sweep",
]  # fmt: skip
