"""How far the console itself has checked its log."""

from pathlib import Path

from alembic import op

revision = "20261120_1230"
down_revision = "20261120_1030"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1230_recheck.sql").read_text())
