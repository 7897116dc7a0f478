"""Trying a workflow: a dry run writes nothing and sends nothing, and follows the rules of every run."""

OPEN_MODULES = frozenset(
    {
        "dry_runs",
        "examples",
        "executing",
        "redeciding",
        "simulated_children",
        "simulated_waits",
        "test_results",
        "workflow_trials",
    }
)
