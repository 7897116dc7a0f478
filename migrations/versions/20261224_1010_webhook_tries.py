"""The tries of a delivery of a webhook."""

from pathlib import Path

from alembic import op

revision = "20261224_1010"
down_revision = "20261224_1000"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261224_1010_webhook_tries.sql").read_text())
