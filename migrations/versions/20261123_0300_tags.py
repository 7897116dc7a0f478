"""Tags on records."""

from pathlib import Path

from alembic import op

revision = "20261123_0300"
down_revision = "20261123_0100"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_0300_tags.sql").read_text())
