"""Pages of workflows: the cards, and the tabs of one workflow."""

OPEN_MODULES = frozenset({"tabs"})
