"""An index of guided runs that ended."""

from pathlib import Path

from alembic import op

revision = "20261216_0440"
down_revision = "20261216_0430"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261216_0440_guided_runs_that_ended.sql").read_text())
