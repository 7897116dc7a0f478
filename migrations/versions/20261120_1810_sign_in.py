"""Signing in: settings, second factors, identities, secrets that open something once."""

from pathlib import Path

from alembic import op

revision = "20261120_1810"
down_revision = "20261120_1800"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1810_sign_in.sql").read_text())
