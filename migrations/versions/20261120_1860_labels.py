"""Labels on workflows, runs and events, and who is cleared for them for a time."""

from pathlib import Path

from alembic import op

revision = "20261120_1860"
down_revision = "20261120_1850"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1860_labels.sql").read_text())
