"""An index of the live tickets by when they are due, which the worker asks for every few seconds however many have ended."""

from alembic import op

revision = "20261230_1000"
down_revision = "20261229_1000"


def upgrade() -> None:
    """One index."""
    op.execute(
        "create index run_ticket_due_unknown on console.run ((ticket ->> 'inbox'))"
        " where ended_at is null and due_known is null and ticket is not null"
    )
