"""The index of runs that wait for other runs, without a column that every step changes."""

from pathlib import Path

from alembic import op

revision = "20261123_0630"
down_revision = "20261123_0610"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_0630_joining_runs.sql").read_text())
