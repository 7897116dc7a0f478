"""A run knows which records of others its values were read from, so that each reader's scope of today is asked about them."""

from pathlib import Path

from alembic import op

revision = "20261121_2000"
down_revision = "20261121_1080"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261121_2000_rows_of_runs.sql").read_text())
