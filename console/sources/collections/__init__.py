"""Documents that describe the tables of connected databases as collections: drafts, versions and files."""

from console.sources.collections.collection_checks import may_shape, may_shape_any
from console.sources.collections.collection_drafts import (
    Editing,
    check_file,
    check_governed,
    discard,
    export,
    import_file,
    list_collections,
    mend,
    open_collection,
    preview,
    publish,
    relate,
    restore,
    save,
    undo,
    versions,
)
from console.sources.collections.collection_looks import Found, Look, find, look, roles

OPEN_MODULES = frozenset({"collection_store"})
