"""Inboxes, and which of them a run was taken from."""

from pathlib import Path

from alembic import op

revision = "20261120_1740"
down_revision = "20261120_1730"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1740_inbox.sql").read_text())
