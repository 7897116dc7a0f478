"""Titles of roles, the history of the rights, and what admins have drafted."""

from pathlib import Path

from alembic import op

revision = "20261120_1850"
down_revision = "20261120_1840"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1850_rights.sql").read_text())
