"""Contacts by address."""

from pathlib import Path

from alembic import op

revision = "20261220_0910"
down_revision = "20261219_0690"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261220_0910_contacts_by_address.sql").read_text())
