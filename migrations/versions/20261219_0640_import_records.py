"""Which records an import added and changed."""

from pathlib import Path

from alembic import op

revision = "20261219_0640"
down_revision = "20261218_0630"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261219_0640_import_records.sql").read_text())
