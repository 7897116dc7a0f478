"""Files that people had made of a list, which are kept for a day."""

from pathlib import Path

from alembic import op

revision = "20261122_0300"
down_revision = "20261121_2300"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261122_0300_list_exports.sql").read_text())
