"""Tasks, questions to people, and what people are told."""

from pathlib import Path

from alembic import op

revision = "20261120_1760"
down_revision = "20261120_1750"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1760_tasks.sql").read_text())
