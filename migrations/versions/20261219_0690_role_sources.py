"""What gives each role to a person, and what the provider last said of an identity."""

from pathlib import Path

from alembic import op

revision = "20261219_0690"
down_revision = "20261219_0660"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261219_0690_role_sources.sql").read_text())
