"""Each person's own view of a list: its columns, row height and the segment that it opens with."""

from pathlib import Path

from alembic import op

revision = "20261121_2300"
down_revision = "20261121_2200"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261121_2300_list_views.sql").read_text())
