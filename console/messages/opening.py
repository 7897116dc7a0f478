"""E-mails that were opened: a picture of one dot in the e-mail has an address of its own, and whoever fetches it has most likely opened it.

Only where the step says `notices_opening`. Kept is the moment of the first time, and nothing of who asked: no address, no mail program.
"""

import sqlalchemy as sa

from console import log
from console.core.actor import Actor
from console.db.engine import transaction
from console.messages import message_rows
from console.messages.message_events import noted
from console.messages.outside_addresses import opened_message

OPENED = "opened"
DOT = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
"""A GIF of one transparent dot."""
_OPENED = sa.text("update console.message set opened_at = :at where id = :id and opened_at is null and status in ('sent', 'delivered')")


def opened(token: str) -> bool:
    """Note that the e-mail of this picture was opened; False where that was noted before, or it has not left. Raises NotFound for a picture that is not ours."""
    message = message_rows.by_id(opened_message(token))
    return message is not None and note(message)


def note(message: message_rows.Message, *, by: Actor | None = None) -> bool:
    """Note that it was opened, or that somebody chose that in the sandbox (`by`); False where that was noted before, or it has not left."""
    with transaction() as connection:
        if connection.execute(_OPENED, {"at": log.now(), "id": message.id}).rowcount == 0:
            return False
        if by is not None:
            noted(message, "message_outcome_chosen", {"channel": message.channel, "outcome": OPENED}, by=by, connection=connection)
        noted(message, "message_opened", {"channel": message.channel}, connection=connection)
    return True
