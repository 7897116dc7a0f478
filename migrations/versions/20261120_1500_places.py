"""Places of moments, and an index for every filter of the activity list."""

from pathlib import Path

from alembic import op

revision = "20261120_1500"
down_revision = "20261120_1410"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1500_places.sql").read_text())
