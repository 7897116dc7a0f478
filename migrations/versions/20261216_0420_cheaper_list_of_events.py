"""Cheaper list of events and notes of jobs."""

from pathlib import Path

from alembic import op

revision = "20261216_0420"
down_revision = "20261216_0410"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261216_0420_cheaper_list_of_events.sql").read_text())
