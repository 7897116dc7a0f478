"""Since when a workflow has its status, why, and whether it is archived."""

from pathlib import Path

from alembic import op

revision = "20261123_0500"
down_revision = "20261123_0300"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_0500_workflow_status.sql").read_text())
