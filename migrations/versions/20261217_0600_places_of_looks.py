"""How far the log had come when a collection was looked at."""

from pathlib import Path

from alembic import op

revision = "20261217_0600"
down_revision = "20261217_0580"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261217_0600_places_of_looks.sql").read_text())
