"""Drafts of workflows with a revision, and every change of them, so that two editors merge and each can undo."""

from pathlib import Path

from alembic import op

revision = "20261123_0600"
down_revision = "20261123_0520"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_0600_workflow_edits.sql").read_text())
