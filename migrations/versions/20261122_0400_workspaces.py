"""Workspaces with their versions and drafts."""

from pathlib import Path

from alembic import op

revision = "20261122_0400"
down_revision = "20261122_0320"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261122_0400_workspaces.sql").read_text())
