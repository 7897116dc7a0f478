"""Work of teams."""

from pathlib import Path

from alembic import op

revision = "20261221_1000"
down_revision = "20261220_0940"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261221_1000_work.sql").read_text())
