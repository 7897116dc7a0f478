"""Where the log was read for runs that wait for an event, and how such runs are found."""

from pathlib import Path

from alembic import op

revision = "20261123_0610"
down_revision = "20261123_0530"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_0610_awaited_events.sql").read_text())
