"""Pages of the activity log and its proof."""

OPEN_MODULES = frozenset({"activity"})
