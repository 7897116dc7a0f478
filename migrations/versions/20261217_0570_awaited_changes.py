"""Runs that wait for a change of their record are found by it."""

from pathlib import Path

from alembic import op

revision = "20261217_0570"
down_revision = "20261217_0550"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261217_0570_awaited_changes.sql").read_text())
