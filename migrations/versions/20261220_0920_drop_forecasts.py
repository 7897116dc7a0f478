"""No funnels and no prices of channels any more."""

from pathlib import Path

from alembic import op

revision = "20261220_0920"
down_revision = "20261220_0910"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261220_0920_drop_forecasts.sql").read_text())
