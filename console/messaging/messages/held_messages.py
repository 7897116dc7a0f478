"""Messages that wait for an hour or for room under a cap: judged anew when the rules change, and before they do, to say what that would come to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy.engine import Connection

from console import log
from console.core.contacting import Contact, Outgoing, Rules, SendNow, Skip, Verdict, WaitUntil, judge
from console.core.errors import ConsoleError
from console.infra import subjects
from console.infra.db.engine import fetch
from console.messaging.messages import message_rows, recipients, rules as kept_rules
from console.messaging.messages.message_rows import Message, kind_of

AT_ONCE = 500
MOST_DUE = 2_000
"""While so many are due, no more are added: what has to leave now does not wait behind what is only looked at."""
SETTLED = timedelta(seconds=3)
"""After a change every process knows the new rules: what is held from then on is held by them."""
MOST_TRIED = 500
MOST_COUNTED = 10_000
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
_COUNT = f"select count(*) from (select from console.message where {_HELD} limit %s) held"  # noqa: S608 (as above)


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


@dataclass(frozen=True, slots=True)
class Consequence:
    """What rules would do to those that wait: of `looked` at, how many leave at once, sooner, later, or not at all. `held` counts all, up to `MOST_COUNTED` and one."""

    held: int
    looked: int
    now: int = 0
    sooner: int = 0
    later: int = 0
    never: int = 0

    @property
    def same(self) -> int:
        """Those for which nothing changes."""
        return self.looked - self.now - self.sooner - self.later - self.never


def consequence(rules: Rules) -> Consequence:
    """What these rules would do now, said of the `MOST_TRIED` that were asked for first; a few statements for each collection they are about. Nothing is written."""
    held = int(fetch(_COUNT, (MOST_COUNTED + 1,))[0][0])
    messages = (
        message_rows.read(f"{_HELD} and due_at > %s order by id limit %s", (log.now(), MOST_TRIED))
        if held
        else []
    )
    told = Counter(
        _turn(each, before, after) for each, before, after in _judged(messages, kept_rules.current(), rules)
    )
    return Consequence(held, sum(told.values()), told["now"], told["sooner"], told["later"], told["never"])


def _turn(message: Message, before: Verdict, after: Verdict) -> str:
    """`now`, `sooner`, `later`, `never` or `same`."""
    match before, after:
        case _, SendNow():
            return "same" if isinstance(before, SendNow) else "now"
        case _, Skip():
            return "same" if isinstance(before, Skip) else "never"
        case WaitUntil(first), WaitUntil(then):
            return "sooner" if then < first else "later" if then > first else "same"
        case _, WaitUntil(then):
            return "later" if message.due_at is None or then > message.due_at else "sooner"
    return "same"


def _judged(messages: Sequence[Message], *rules: Rules) -> list[tuple[Any, ...]]:
    """(the message, what each of the rules says of it now). Whose contact cannot be read is left out."""
    now, since = log.now(), max(each.longest for each in rules)
    subjects.load(each.subject for each in messages)
    there = _contacts_of(messages)
    found = []
    for each in messages:
        about = (each.collection or "", each.record or "")
        if (content := each.content) is None or (
            each.channel != "chat" and each.record is not None and about not in there
        ):
            continue
        contact = (
            there.get(about)
            if each.record is not None and each.channel != "chat"
            else recipients.contact_of(each, ())
        )
        to, why = recipients.address_for(each, content, contact)
        found.append((each, contact, to, why))
    used = message_rows.used_before(
        [
            (each, recipients.address_digest(to) if contact is not None and to else None)
            for each, contact, to, _ in found
        ],
        now - since,
    )
    judged = []
    for each, contact, to, why in found:
        outgoing = Outgoing(
            kind_of(each),
            each.consent,
            each.asked_at,
            timedelta(seconds=each.expires_s),
            why,
            about=each.about,
        )
        known = contact and replace(contact, country=recipients.country_of(contact, to))
        judged.append(
            (
                each,
                *(
                    judge(outgoing, known, zones_at(each, contact, to, its), used[each.id], now, its)
                    for its in rules
                ),
            )
        )
    return judged


def _contacts_of(messages: Sequence[Message]) -> dict[tuple[str, str], Contact]:
    keys: dict[str, set[str]] = {}
    for each in messages:
        if each.collection is not None and each.record is not None and each.channel != "chat":
            keys.setdefault(each.collection, set()).add(each.record)
    found: dict[tuple[str, str], Contact] = {}
    for collection, wanted in keys.items():
        try:
            found |= {
                (collection, key): contact
                for key, contact in recipients.contacts_at(collection, sorted(wanted)).items()
            }
        except ConsoleError:
            continue  # its source is down: nothing can be said of these
    return found


def zones_at(message: Message, contact: Contact | None, to: str, rules: Rules) -> list[str]:
    """The zones whose clocks count for the message: of a chat that of the house; a test to oneself has none, and leaves at once."""
    if message.channel == "chat":
        return [rules.chat_zone] if message.workflow else []
    return recipients.zones_of(contact, to)
