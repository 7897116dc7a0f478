"""Runs that a step of another run starts and waits for."""

from pathlib import Path

from alembic import op

revision = "20261123_0010"
down_revision = "20261123_0200"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_0010_child_runs.sql").read_text())
