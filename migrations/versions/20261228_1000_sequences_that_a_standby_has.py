"""Sequences that a standby has."""

from pathlib import Path

from alembic import op

revision = "20261228_1000"
down_revision = "20261227_1000"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261228_1000_sequences_that_a_standby_has.sql").read_text())
