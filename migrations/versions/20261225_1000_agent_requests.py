"""Questions of programs."""

from pathlib import Path

from alembic import op

revision = "20261225_1000"
down_revision = "20261225_0900"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261225_1000_agent_requests.sql").read_text())
