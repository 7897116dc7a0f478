"""How far each place outside has got with the checkpoints of the log."""

from pathlib import Path

from alembic import op

revision = "20261120_1310"
down_revision = "20261120_1230"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1310_deliveries.sql").read_text())
