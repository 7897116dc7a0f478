"""Records on a page and widths of columns, kept with each person's view of a list."""

from pathlib import Path

from alembic import op

revision = "20261122_0310"
down_revision = "20261122_0300"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261122_0310_list_view_sizes.sql").read_text())
