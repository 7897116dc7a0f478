"""Messages to people outside: `contacts` and their consents, `imports` of contact files, `messages` that are judged and sent, and the `providers` that carry them."""

OPEN_MODULES = frozenset({"channels", "contacts", "imports", "messages", "providers"})
