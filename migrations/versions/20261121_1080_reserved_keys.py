"""An idempotency key says since when its request may have written where no transaction of ours reaches."""

from pathlib import Path

from alembic import op

revision = "20261121_1080"
down_revision = "20261121_1070"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261121_1080_reserved_keys.sql").read_text())
