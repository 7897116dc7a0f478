"""Runs in the database: loading and writing them, rows in other tables, drafts, and rebuilding rows from the log."""

OPEN_MODULES = frozenset(
    {
        "latest",
        "loaded_rows",
        "new_runs",
        "rebuild",
        "loaded_runs",
        "promised_runs",
        "run_events",
        "run_rows",
        "run_store",
        "side_rows",
        "typed_drafts",
        "version_origins",
    }
)
