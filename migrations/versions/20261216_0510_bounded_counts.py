"""Indexes that hold the newest of each figure of a workflow."""

from pathlib import Path

from alembic import op

revision = "20261216_0510"
down_revision = "20261216_0500"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261216_0510_bounded_counts.sql").read_text())
