"""Within how much working time runs and tickets have to be worked off."""

from pathlib import Path

from alembic import op

revision = "20261123_0530"
down_revision = "20261123_0410"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_0530_due_times.sql").read_text())
