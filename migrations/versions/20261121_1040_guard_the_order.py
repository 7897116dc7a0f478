"""The order of the log is made by the server alone: the application's role can write neither the list of events nor the tree over them."""

from pathlib import Path

from alembic import op

revision = "20261121_1040"
down_revision = "20261121_1020"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261121_1040_guard_the_order.sql").read_text())
