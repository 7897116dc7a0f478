"""Programs: what a key may do and from where, how often it asks, whose console this is."""

from pathlib import Path

from alembic import op

revision = "20261120_1820"
down_revision = "20261120_1810"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1820_programs.sql").read_text())
