"""A run's row says what started it and how long the console has worked on it: lists filter by the one, a time limit looks at the other."""

from pathlib import Path

from alembic import op

revision = "20261121_1050"
down_revision = "20261121_1040"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261121_1050_run_triggers.sql").read_text())
