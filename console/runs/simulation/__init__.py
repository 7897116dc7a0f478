"""Trying a workflow: a dry run writes nothing and sends nothing, and follows the rules of every run."""

OPEN_MODULES = frozenset({"examples", "executing", "redeciding", "test_results", "workflow_trials"})
