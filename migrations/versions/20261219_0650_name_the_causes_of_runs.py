"""Name the causes of runs."""

from pathlib import Path

from alembic import op

revision = "20261219_0650"
down_revision = "20261219_0640"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261219_0650_name_the_causes_of_runs.sql").read_text())
