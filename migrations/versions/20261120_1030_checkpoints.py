"""The tree over the log, in tiles, and its signed heads."""

from pathlib import Path

from alembic import op

revision = "20261120_1030"
down_revision = "20261120_0900"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1030_checkpoints.sql").read_text())
