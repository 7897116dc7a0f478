"""People are invited and removed, teams are described, led and archived."""

from pathlib import Path

from alembic import op

revision = "20261120_1800"
down_revision = "20261120_1760"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1800_people.sql").read_text())
