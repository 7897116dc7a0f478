"""Webhooks: deliveries that come in (`incoming`, `senders`), and events of the log that go out (`outgoing`)."""

OPEN_MODULES = frozenset({"bodies", "hook_addresses", "incoming", "outgoing"})
