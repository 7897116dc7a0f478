"""A second person for publishing: teams that want one, and requests to publish a draft."""

from pathlib import Path

from alembic import op

revision = "20261123_0900"
down_revision = "20261123_0700"


def upgrade() -> None:
    """One script."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql((Path(__file__).parent.parent / "sql" / "20261123_0900_publishing_reviews.sql").read_text())
