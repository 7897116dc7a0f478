"""Idempotency keys keep a reference to what was made, and no answer."""

from pathlib import Path

from alembic import op

revision = "20261121_1020"
down_revision = "20261121_0500"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261121_1020_judged_anew.sql").read_text())
