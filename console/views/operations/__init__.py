"""Pages of those who run the console: health, background work and erasure."""

OPEN_MODULES = frozenset({"erasure"})
