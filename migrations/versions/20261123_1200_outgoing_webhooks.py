"""Where events of the log are sent outside, and what became of each."""

from pathlib import Path

from alembic import op

revision = "20261123_1200"
down_revision = "20261123_1000"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_1200_outgoing_webhooks.sql").read_text())
