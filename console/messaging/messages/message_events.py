"""What is written to the log about messages: about whom they are, under the key of that person."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from sqlalchemy.engine import Connection

from console import browse, log, records
from console.core.actor import Actor
from console.infra import subjects
from console.messaging.messages.message_rows import Message

WRITER = Actor("system", "sys_channels", "Handrail", session="sys:messages")
Note: TypeAlias = tuple[str, Mapping[str, Any], Mapping[str, Any], Actor]
"""An event about a message: its kind, open and sealed values, and who."""


def noted(
    message: Message,
    kind: str,
    open_data: Mapping[str, Any],
    sealed: Mapping[str, Any] | None = None,
    by: Actor = WRITER,
    *,
    connection: Connection,
) -> None:
    """One event about the message, with the transaction of `connection`; it is the last thing done there."""
    log.note(by, kind, **_about(message, open_data, sealed), connection=connection)


def noting(
    message: Message,
    kind: str,
    open_data: Mapping[str, Any],
    sealed: Mapping[str, Any] | None = None,
    by: Actor = WRITER,
) -> log.Noting:
    """The same event, to be written beside a transition."""
    return log.noting(by, kind, **_about(message, open_data, sealed))


def _about(
    message: Message, open_data: Mapping[str, Any], sealed: Mapping[str, Any] | None
) -> dict[str, Any]:
    data = {"message_id": message.id, **({"run": message.run} if message.run else {}), **open_data}
    filled = {name: value for name, value in (sealed or {}).items() if value}
    if message.run is None and message.record is not None:  # of a run it is known what its record was called
        filled |= (
            browse.about_records(message.collection, [message.record])
            .get(message.record, {})
            .get("sealed", {})
        )
    if filled and subjects.erased(message.subject):  # meanwhile: that it came is kept, what was said is not
        filled = {}
    return {
        "open": data,
        "sealed": filled or None,
        "collection": message.collection,
        "record": records.reference_in_log(message.collection, message.record),
        "subject": message.subject if filled else None,
        "team": message.team,
        "chain": None if message.label else log.lane(WRITER.session),
        "label": message.label,
    }
