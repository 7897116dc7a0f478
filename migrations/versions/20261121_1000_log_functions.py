"""The functions that write the log, whole: before, migrations replaced parts of their text."""

from pathlib import Path

from alembic import op

revision = "20261121_1000"
down_revision = "20261121_0500"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261121_1000_log_functions.sql").read_text())
