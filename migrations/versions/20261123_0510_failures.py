"""Runs that failed, with their cause, for the list of incidents and for alerts."""

from pathlib import Path

from alembic import op

revision = "20261123_0510"
down_revision = "20261123_0500"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_0510_failures.sql").read_text())
