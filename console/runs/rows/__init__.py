"""Runs in the database: loading and writing them, the rows beside them, and building rows again from the log."""

__all__ = ["latest", "rebuild", "recent_runs", "run_events", "run_rows", "run_store", "side_rows", "typed_drafts", "version_origins"]
