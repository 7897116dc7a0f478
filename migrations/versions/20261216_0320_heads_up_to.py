"""Signed heads are counted up to a place."""

from pathlib import Path

from alembic import op

revision = "20261216_0320"
down_revision = "20261216_0300"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261216_0320_heads_up_to.sql").read_text())
