"""What an effect takes back, and whose result it keeps."""

from pathlib import Path

from alembic import op

revision = "20261120_1710"
down_revision = "20261120_1700"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1710_effects.sql").read_text())
