"""Proposals by a model or by rules: what is asked, what came back, and what of it may be shown. No database, no run: it works on what it is handed."""

OPEN_MODULES = frozenset(
    {"builder_answer", "builder_prompt", "calling", "cases", "evaluation", "probe", "proposals", "providers"}
)
