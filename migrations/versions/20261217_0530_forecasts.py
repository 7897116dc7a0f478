"""Prices of channels, and funnels that somebody asked for."""

from pathlib import Path

from alembic import op

revision = "20261217_0530"
down_revision = "20261217_0520"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261217_0530_forecasts.sql").read_text())
