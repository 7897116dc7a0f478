"""Due times that are computed again."""

from pathlib import Path

from alembic import op

revision = "20261224_0900"
down_revision = "20261223_1210"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql(
        (Path(__file__).parent.parent / "sql" / "20261224_0900_due_times_computed_again.sql").read_text()
    )
