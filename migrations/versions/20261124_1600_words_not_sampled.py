"""No statistics of what people write about publishing, moving runs, rights and holds."""

from pathlib import Path

from alembic import op

revision = "20261124_1600"
down_revision = "20261123_1500"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261124_1600_words_not_sampled.sql").read_text())
