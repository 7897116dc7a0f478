"""An index of the runs that were started together."""

from pathlib import Path

from alembic import op

revision = "20261216_0460"
down_revision = "20261216_0450"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261216_0460_item_of_a_run.sql").read_text())
