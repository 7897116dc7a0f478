"""Filters of a list that people save as a tab of it."""

from pathlib import Path

from alembic import op

revision = "20261122_0600"
down_revision = "20261122_0400"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261122_0600_saved_segments.sql").read_text())
