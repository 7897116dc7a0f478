"""Moves of many live runs to another version of their workflow."""

from pathlib import Path

from alembic import op

revision = "20261123_0910"
down_revision = "20261123_0900"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_0910_run_moves.sql").read_text())
