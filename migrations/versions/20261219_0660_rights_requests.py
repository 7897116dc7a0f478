"""Rights requests."""

from pathlib import Path

from alembic import op

revision = "20261219_0660"
down_revision = "20261219_0650"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261219_0660_rights_requests.sql").read_text())
