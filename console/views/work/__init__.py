"""Pages of what waits for people: approvals, inboxes, tasks, questions and notices."""

OPEN_MODULES = frozenset({"approvals", "given_words", "inbox", "my_work", "tasks"})
