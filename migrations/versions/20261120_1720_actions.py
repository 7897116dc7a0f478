"""What can be done to records."""

from pathlib import Path

from alembic import op

revision = "20261120_1720"
down_revision = "20261120_1710"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1720_actions.sql").read_text())
