"""How long values are kept: expiry, and holds against it."""

from pathlib import Path

from alembic import op

revision = "20261120_1410"
down_revision = "20261120_1310"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1410_retention.sql").read_text())
