"""What the console says of the tables of the connected databases: documents of collections, their drafts and versions."""

from console.collections.documents_kept import (
    Editing,
    check_file,
    discard,
    export,
    import_file,
    listed,
    opened,
    publish,
    restore,
    save,
    tried,
    undo,
    versions,
)

__all__ = [
    "Editing",
    "check_file",
    "discard",
    "export",
    "import_file",
    "listed",
    "opened",
    "publish",
    "restore",
    "save",
    "tried",
    "undo",
    "versions",
]
