"""How good proposals are: cases, measurements against people's decisions, and the playground."""

OPEN_MODULES = frozenset(
    {"cases", "evaluate", "figures", "measure", "playground", "replayed", "report_words"}
)
