"""What people see of runs: the screen, lists, queues and replay."""

OPEN_MODULES = frozenset(
    {
        "block_content",
        "bounded_counts",
        "candidates",
        "consequences",
        "gathered",
        "handovers",
        "lists",
        "narrowed_list",
        "parts",
        "queues",
        "reader_reach",
        "reading",
        "record_reach",
        "replay",
        "run_filters",
        "screens",
        "step_stakes",
        "view",
    }
)
