"""Data sources: on which terms they are used, which tables were chosen, and how they stand."""

from pathlib import Path

from alembic import op

revision = "20261120_1830"
down_revision = "20261120_1820"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1830_sources.sql").read_text())
