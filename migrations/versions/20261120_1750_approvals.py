"""What an approver is shown."""

from pathlib import Path

from alembic import op

revision = "20261120_1750"
down_revision = "20261120_1740"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1750_approvals.sql").read_text())
