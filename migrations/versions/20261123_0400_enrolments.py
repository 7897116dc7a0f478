"""Who is in which workflow, at which place; in what batches they came in; how many there are."""

from pathlib import Path

from alembic import op

revision = "20261123_0400"
down_revision = "20261123_0600"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_0400_enrolments.sql").read_text())
