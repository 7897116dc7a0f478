"""The API keys with which questions about a case were asked."""

from pathlib import Path

from alembic import op

revision = "20261227_1000"
down_revision = "20261225_1000"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261227_1000_keys_of_questions.sql").read_text())
