"""Notes of published versions stand beside them, and can be erased with whoever wrote them."""

from pathlib import Path

from alembic import op

revision = "20261208_0500"
down_revision = "20261130_0700"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261208_0500_notes_of_versions.sql").read_text())
