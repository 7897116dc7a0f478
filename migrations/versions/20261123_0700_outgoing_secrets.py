"""Secrets that steps and actions show to other systems."""

from pathlib import Path

from alembic import op

revision = "20261123_0700"
down_revision = "20261123_0630"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_0700_outgoing_secrets.sql").read_text())
