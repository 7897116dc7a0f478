"""What people ask of the builder of workflows, and its answers."""

from pathlib import Path

from alembic import op

revision = "20261123_1000"
down_revision = "20261123_0910"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_1000_builder_turns.sql").read_text())
