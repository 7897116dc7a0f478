"""The records of what is done to many stand in rows of their own."""

from pathlib import Path

from alembic import op

revision = "20261216_0300"
down_revision = "20261212_0100"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261216_0300_bulk_items.sql").read_text())
