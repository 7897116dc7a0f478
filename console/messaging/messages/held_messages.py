"""Messages that wait for an hour or for room under a cap: judged anew when the rules change."""

from datetime import timedelta

from sqlalchemy.engine import Connection

from console import log
from console.core.contacting import Contact, Rules
from console.infra.db.engine import fetch
from console.messaging.messages import recipients
from console.messaging.messages.message_rows import Message

AT_ONCE = 500
MOST_DUE = 2_000
"""While so many are due, no more are added: what has to leave now does not wait behind what is only looked at."""
SETTLED = timedelta(seconds=3)
"""After a change every process knows the new rules: what is held from then on is held by them."""
RESTORED = "restored"
CODES = ("quiet_hours", "over_cap")
"""What a message waits for that may leave later."""
_HELD = f"status = 'waiting' and code in {CODES!r}"
_CHANGED = "select version, looked_to from console.contact_rules where looked_at is null and at <= %s and version = (select max(version) from console.contact_rules)"
_DUE = "select count(*) from (select from console.message where due_at <= %s limit %s) due"
_LOOK = f"""
with held as (select id from console.message where {_HELD} and id > %s order by id limit %s),
due as (update console.message m set due_at = %s where m.id = any(array(select id from held)) and m.{_HELD} and m.due_at > %s)
select count(*), max(id) from held
"""  # noqa: S608 (a text of ours)
"""An array of ids is looked up one by one, however many the server thinks there may be."""
_LOOKED = "update console.contact_rules set looked_to = greatest(looked_to, %s), looked_at = %s where version = %s returning version"
_DOUBT = (
    "update console.message set code = %s where status = 'waiting' and direction = 'out' and due_at <= %s"
)


def doubt_due(connection: Connection) -> None:
    """Mark those that are due in a restored backup: the console that it was made of may have sent them since."""
    connection.exec_driver_sql(_DOUBT, (RESTORED, log.now()))


def look_again() -> int:
    """Have some of those that wait judged by the rules that were saved last, in the order of their ids; returns how many, 0 where all were."""
    now = log.now()
    changed = fetch(_CHANGED, (now - SETTLED,))
    if not changed:
        return 0
    version, reached = changed[0]
    if fetch(_DUE, (now, MOST_DUE))[0][0] >= MOST_DUE:
        return 0
    count, last = fetch(_LOOK, (reached, AT_ONCE, now, now))[0]
    fetch(_LOOKED, (last, None if count == AT_ONCE else now, version))
    return int(count)


def zones_at(message: Message, contact: Contact | None, to: str, rules: Rules) -> list[str]:
    """The zones whose clocks count for the message: of a chat that of the house; a test to oneself has none, and leaves at once."""
    if message.channel == "chat":
        return [rules.chat_zone] if message.workflow else []
    return recipients.zones_of(contact, to)
