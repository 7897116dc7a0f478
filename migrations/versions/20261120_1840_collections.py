"""Versions and drafts of what is said of collections."""

from pathlib import Path

from alembic import op

revision = "20261120_1840"
down_revision = "20261120_1830"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1840_collections.sql").read_text())
