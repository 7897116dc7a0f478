"""Pages of messages to people outside, imports of contacts, and the addresses that providers call."""

OPEN_MODULES = frozenset({"outbox"})
