"""Documents that describe the tables of connected databases as collections: drafts, versions and files."""

from console.collections.collection_checks import may_shape, may_shape_any, try_select
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
from console.collections.collection_looks import Found, Look, find, look, roles
from console.collections.collection_publication import check_file, check_governed, export, import_file, publish

__all__ = [
    "Editing",
    "Found",
    "Look",
    "check_file",
    "check_governed",
    "discard",
    "export",
    "find",
    "import_file",
    "list_collections",
    "look",
    "may_shape",
    "may_shape_any",
    "open_collection",
    "preview",
    "publish",
    "restore",
    "roles",
    "save",
    "try_select",
    "undo",
    "versions",
]
