"""Name, contact, colours and logo of the installation."""

from pathlib import Path

from alembic import op

revision = "20261222_1110"
down_revision = "20261221_1010"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql(
        (Path(__file__).parent.parent / "sql" / "20261222_1110_branding.sql").read_text()
    )
