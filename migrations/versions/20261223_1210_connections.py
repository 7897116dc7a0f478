"""Connections."""

from pathlib import Path

from alembic import op

revision = "20261223_1210"
down_revision = "20261223_1200"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261223_1210_connections.sql").read_text())
