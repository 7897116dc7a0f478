"""Notes that people leave on a record."""

from pathlib import Path

from alembic import op

revision = "20261122_0320"
down_revision = "20261122_0310"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261122_0320_record_notes.sql").read_text())
