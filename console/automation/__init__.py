"""What happens without a person: `triggers` start runs, `webhooks` bring and send events, `enrolments` say who is in which workflow."""

OPEN_MODULES = frozenset({"enrolments", "triggers", "webhooks"})
