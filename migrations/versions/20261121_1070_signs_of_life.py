"""What tells that a worker works and that something can be written."""

from pathlib import Path

from alembic import op

revision = "20261121_1070"
down_revision = "20261121_1050"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261121_1070_signs_of_life.sql").read_text())
