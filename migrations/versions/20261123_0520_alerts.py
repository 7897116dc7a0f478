"""Rules that tell somebody of failed and slow runs."""

from pathlib import Path

from alembic import op

revision = "20261123_0520"
down_revision = "20261123_0510"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_0520_alerts.sql").read_text())
