"""Files that people hand in, and requests for them to somebody outside."""

from pathlib import Path

from alembic import op

revision = "20261120_1730"
down_revision = "20261120_1720"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1730_documents.sql").read_text())
