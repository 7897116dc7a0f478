"""Pages of what waits for people: approvals, inboxes, tasks, questions and notices."""

OPEN_MODULES = frozenset({"approvals", "decision_labels", "inbox", "my_work", "tasks", "team_work"})
