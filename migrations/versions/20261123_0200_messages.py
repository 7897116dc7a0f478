"""Messages to and from people outside, consent taken back, and what is set for channels."""

from pathlib import Path

from alembic import op

revision = "20261123_0200"
down_revision = "20261123_0400"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_0200_messages.sql").read_text())
