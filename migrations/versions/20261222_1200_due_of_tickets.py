"""A run is due by the clock of the inbox that it comes into, and by what its inbox says now."""

from pathlib import Path

from alembic import op

revision = "20261222_1200"
down_revision = "20261222_1110"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql(
        (Path(__file__).parent.parent / "sql" / "20261222_1200_due_of_tickets.sql").read_text()
    )
