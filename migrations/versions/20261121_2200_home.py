"""Home reads what ended today and what was saved by an index, and keeps what each person pinned."""

from pathlib import Path

from alembic import op

revision = "20261121_2200"
down_revision = "20261121_2000"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261121_2200_home.sql").read_text())
