"""Whose a workflow is, and its place in lists."""

from pathlib import Path

from alembic import op

revision = "20261217_0520"
down_revision = "20261216_0510"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261217_0520_whose_workflows.sql").read_text())
