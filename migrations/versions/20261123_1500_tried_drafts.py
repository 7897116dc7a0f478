"""Drafts that were executed, kept beside the published versions."""

from pathlib import Path

from alembic import op

revision = "20261123_1500"
down_revision = "20261123_1410"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_1500_tried_drafts.sql").read_text())
