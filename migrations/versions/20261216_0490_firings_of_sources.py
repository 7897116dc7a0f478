"""Firings say which data source they wait for."""

from pathlib import Path

from alembic import op

revision = "20261216_0490"
down_revision = "20261216_0480"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261216_0490_firings_of_sources.sql").read_text())
