"""Making workflows: what publishing a draft would do and who approves it, changes asked for in words, and diagrams."""

OPEN_MODULES = frozenset({"builder", "diagrams", "publication", "versioned_documents"})
