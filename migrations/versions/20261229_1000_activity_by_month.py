"""The list of events by month, and the places of archived events."""

from pathlib import Path

from alembic import op

revision = "20261229_1000"
down_revision = "20261228_1000"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261229_1000_activity_by_month.sql").read_text())
