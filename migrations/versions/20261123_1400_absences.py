"""Who is away, from when to when, and who stands in for them."""

from pathlib import Path

from alembic import op

revision = "20261123_1400"
down_revision = "20261123_1300"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_1400_absences.sql").read_text())
