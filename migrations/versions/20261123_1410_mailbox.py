"""How far the mailbox that contacts answer to was read."""

from pathlib import Path

from alembic import op

revision = "20261123_1410"
down_revision = "20261123_1400"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_1410_mailbox.sql").read_text())
