"""Proposals: what was asked of a model or of rules, what was proposed, and what came of it."""

from pathlib import Path

from alembic import op

revision = "20261120_1870"
down_revision = "20261120_1860"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261120_1870_proposals.sql").read_text())
