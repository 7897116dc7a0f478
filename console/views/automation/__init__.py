"""Pages of enrolling and taking out, and the addresses of incoming webhooks."""

OPEN_MODULES = frozenset({"enrolled", "hooks_in"})
