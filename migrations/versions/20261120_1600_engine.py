"""The queue of jobs, and what the engine needs to find the runs that are due."""

from pathlib import Path

from alembic import op

revision = "20261120_1600"
down_revision = "20261120_1500"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1600_engine.sql").read_text())
