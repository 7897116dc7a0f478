"""Questions about a case, and what one person used of a budget."""

from pathlib import Path

from alembic import op

revision = "20261224_1000"
down_revision = "20261224_0900"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261224_1000_case_questions.sql").read_text())
