"""The log, runs, people, sources and workflows: the first tables."""

from pathlib import Path

from alembic import op

revision = "20261120_0900"
down_revision = None


def upgrade() -> None:
    """Whole scripts, so that what a DBA reads is what runs."""
    connection = op.get_bind().execution_options(no_parameters=True)
    for name in ("tables", "functions", "rights"):
        connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / f"20261120_0900_{name}.sql").read_text())
