"""Runs in the database: loading and writing them, rows in other tables, drafts, and rebuilding rows from the log."""

OPEN_MODULES = frozenset(
    {
        "latest",
        "loaded_rows",
        "loaded_runs",
        "new_runs",
        "promised_runs",
        "rebuild",
        "run_events",
        "run_rows",
        "run_store",
        "typed_drafts",
        "version_origins",
    }
)
