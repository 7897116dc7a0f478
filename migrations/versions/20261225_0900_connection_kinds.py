"""The kinds of connections."""

from pathlib import Path

from alembic import op

revision = "20261225_0900"
down_revision = "20261224_1010"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261225_0900_connection_kinds.sql").read_text())
