"""Pages of documents, and the page that outsiders hand them in on."""

OPEN_MODULES = frozenset({"files"})
