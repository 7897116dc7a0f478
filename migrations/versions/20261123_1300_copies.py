"""What tells an installation from a copy of it, and why one is paused that nobody paused."""

from pathlib import Path

from alembic import op

revision = "20261123_1300"
down_revision = "20261123_1200"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_1300_copies.sql").read_text())
