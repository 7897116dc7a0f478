"""Approvals that wait."""

from pathlib import Path

from alembic import op

revision = "20261216_0400"
down_revision = "20261216_0330"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261216_0400_approvals_that_wait.sql").read_text())
