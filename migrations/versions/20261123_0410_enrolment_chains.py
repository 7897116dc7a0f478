"""Which runs led to an enrolment, so that circles through triggers are found."""

from pathlib import Path

from alembic import op

revision = "20261123_0410"
down_revision = "20261123_0010"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_0410_enrolment_chains.sql").read_text())
