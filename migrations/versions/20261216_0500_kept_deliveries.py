"""Deliveries of webhooks are kept before their runs begin."""

from pathlib import Path

from alembic import op

revision = "20261216_0500"
down_revision = "20261216_0490"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261216_0500_kept_deliveries.sql").read_text())
