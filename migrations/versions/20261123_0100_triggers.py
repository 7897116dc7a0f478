"""Triggers: what starts runs by itself, and what came of it."""

from pathlib import Path

from alembic import op

revision = "20261123_0100"
down_revision = "20261123_0000"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_0100_triggers.sql").read_text())
