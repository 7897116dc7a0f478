"""Service accounts, and runs that nobody holds."""

from pathlib import Path

from alembic import op

revision = "20261123_0000"
down_revision = "20261122_0600"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_0000_hands_off.sql").read_text())
