"""Who a hands-off run is about has a place in its workflow, whatever started it."""

from pathlib import Path

from alembic import op

revision = "20261217_0550"
down_revision = "20261217_0530"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261217_0550_places_of_runs.sql").read_text())
