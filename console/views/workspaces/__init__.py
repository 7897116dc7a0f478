"""The pages of workspaces: the running page, and the builder."""

OPEN_MODULES = frozenset({"condition_lines"})
