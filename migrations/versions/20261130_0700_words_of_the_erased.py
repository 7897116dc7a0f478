"""What erased people wrote about steps, settings and rights can be emptied, and words of tags that nobody has deleted."""

from pathlib import Path

from alembic import op

revision = "20261130_0700"
down_revision = "20261124_1600"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261130_0700_words_of_the_erased.sql").read_text())
