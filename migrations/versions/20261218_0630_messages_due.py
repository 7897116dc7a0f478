"""Messages that are due are found by their channel."""

from pathlib import Path

from alembic import op

revision = "20261218_0630"
down_revision = "20261217_0620"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261218_0630_messages_due.sql").read_text())
