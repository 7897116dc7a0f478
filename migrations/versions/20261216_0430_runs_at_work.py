"""Indexes of runs at work, and of those that are due."""

from pathlib import Path

from alembic import op

revision = "20261216_0430"
down_revision = "20261216_0420"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261216_0430_runs_at_work.sql").read_text())
