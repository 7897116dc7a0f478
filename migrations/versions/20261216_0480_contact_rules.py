"""The rules of the house for reaching people, by version."""

from pathlib import Path

from alembic import op

revision = "20261216_0480"
down_revision = "20261216_0470"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261216_0480_contact_rules.sql").read_text())
