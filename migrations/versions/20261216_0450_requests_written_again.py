"""One open request for documents at an attempt, and any number that have ended."""

from pathlib import Path

from alembic import op

revision = "20261216_0450"
down_revision = "20261216_0440"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261216_0450_requests_written_again.sql").read_text())
