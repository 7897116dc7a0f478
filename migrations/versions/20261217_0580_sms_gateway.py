"""A gateway for SMS is described on the page of the channels."""

from alembic import op

revision = "20261217_0580"
down_revision = "20261217_0570"


def upgrade() -> None:
    """One column more."""
    op.execute("alter table console.channel add column gateway jsonb")
