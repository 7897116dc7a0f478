"""What is told later of an e-mail or SMS that left: that it arrived, or that it did not. Its run went on when it left."""

from collections.abc import Sequence
from typing import Any

from console import log
from console.infra.db.engine import transaction
from console.messaging.channels.base import Handed
from console.messaging.messages import inbound, opting_out
from console.messaging.messages.message_events import WRITER, Note, noted
from console.messaging.messages.message_reasons import in_words
from console.messaging.messages.message_rows import Message, by_id, change


def failed(message: Message) -> bool:
    """Whether it is an e-mail or SMS that counts as failed, which may still turn out to have arrived."""
    return message.status == "failed" and message.channel != "call"


def keep(message: Message, handed: Handed, notes: Sequence[Note]) -> Message | None:
    """The message with what became of it, noted in the log behind `notes`; None where that changes nothing.

    What arrived has arrived, whatever is told before or after: receipts come in any order, and some networks take a message for lost too early.
    """
    arrived = handed.outcome == "delivered"
    was = ["sent", "failed"] if arrived else ["sent"]
    if message.status not in was or handed.outcome not in ("delivered", "failed", "opted_out"):
        return None
    if handed.outcome == "opted_out":
        opted_out(message)
    columns: dict[str, Any] = {
        "at": log.now(),
        "sent_at": message.sent_at or log.now(),
        "status": "delivered" if arrived else "failed",
    }
    with transaction() as connection:
        known = change(
            message,
            [message.status],
            connection=connection,
            result=in_words(handed.reason, handed.said),
            **columns,
        )
        if known is not None:
            for note in [*notes, *_notes_of(message, handed, arrived=arrived)]:
                noted(message, *note, connection=connection)
    if known is None and (newer := by_id(message.id)) is not None and newer.status != message.status:
        return keep(newer, handed, notes)  # another receipt was first
    return known


def _notes_of(message: Message, handed: Handed, *, arrived: bool) -> Sequence[Note]:
    """What the log says of it: that it arrived is said where the log has said that it did not."""
    if not arrived:
        about = {"channel": message.channel, "code": "not_delivered"}
        return [("message_failed", about, in_words(handed.reason, handed.said), WRITER)]
    return (
        [("message_arrived", {"channel": message.channel}, {}, WRITER)] if message.status == "failed" else []
    )


def opted_out(message: Message) -> None:
    """Take back the consent of everybody at the address: they said so to the provider."""
    reached = (message.collection, message.record) if message.collection and message.record else None
    sharing = inbound.everybody_at(message.channel, str(message.result.get("to", "")), reached)
    opting_out.withdraw(sharing, inbound.STOPPED.get(message.channel, ()), message.channel, message.id)
