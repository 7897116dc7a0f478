"""Pages of signing in and of what one may not do."""

OPEN_MODULES = frozenset({"missing_rights", "step_up"})
