"""Rules about API keys, which never did anything, go."""

from pathlib import Path

from alembic import op

revision = "20261212_0100"
down_revision = "20261208_0500"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261212_0100_rules_of_keys.sql").read_text())
