"""Documents that describe the tables of connected databases as collections: drafts, versions and files."""

from console.collections.collection_drafts import (
    Editing,
    discard,
    list_collections,
    open_collection,
    preview,
    restore,
    save,
    undo,
    versions,
)
from console.collections.collection_publication import check_file, check_governed, export, import_file, publish

__all__ = [
    "Editing",
    "check_file",
    "check_governed",
    "discard",
    "export",
    "import_file",
    "list_collections",
    "open_collection",
    "preview",
    "publish",
    "restore",
    "save",
    "undo",
    "versions",
]
