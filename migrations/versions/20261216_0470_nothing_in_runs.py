"""What is not there in a run is null, not the JSON value null."""

from pathlib import Path

from alembic import op

revision = "20261216_0470"
down_revision = "20261216_0460"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261216_0470_nothing_in_runs.sql").read_text())
