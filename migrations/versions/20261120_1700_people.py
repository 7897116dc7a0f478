"""Inboxes, approvals, and events that runs wait for."""

from pathlib import Path

from alembic import op

revision = "20261120_1700"
down_revision = "20261120_1600"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1700_people.sql").read_text())
