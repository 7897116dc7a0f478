"""Runs that may be woken by a change are written down, and those that waited before changes were looked for are found too."""

from pathlib import Path

from alembic import op

revision = "20261217_0620"
down_revision = "20261217_0600"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261217_0620_waking_runs.sql").read_text())
