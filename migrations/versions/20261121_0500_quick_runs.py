"""A run's row costs a step less: no index of it changes while somebody works on it, and what was a trigger is part of the transition."""

from pathlib import Path

from alembic import op

revision = "20261121_0500"
down_revision = "20261120_1870"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261121_0500_quick_runs.sql").read_text())
