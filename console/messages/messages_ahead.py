"""What several messages will be judged by, read for all of them at once: themselves, their contacts, what reached these, and the runs that go on."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from console import contacts, log, runs, subjects
from console.core.contacting import Contact
from console.db import read_ahead as ahead
from console.db.engine import alone_ahead
from console.errors import ConsoleError
from console.messages import kept_rules, message_rows, recipients
from console.messages.message_rows import Message


def read_ahead(message_ids: Sequence[str]) -> None:
    """Have what is due of these messages at hand for the jobs of this thread. What cannot be read now each says for itself.

    What reached a contact or an address is read under their locks, which are kept until the message is marked as leaving: the caps count it. Of two
    messages to one of them neither is read ahead, since the first changes what the second is judged by.
    """
    messages, now = message_rows.by_ids(message_ids), log.now()
    since = now - kept_rules.current().longest
    ahead.keep("message", {each.id: each for each in messages})
    waiting = [each for each in messages if each.status == "waiting" and (each.due_at is None or each.due_at <= now)]
    subjects.load(each.subject for each in waiting)
    reached = _contacts_of(waiting)
    ahead.keep("contact", {(contact.collection, contact.key): contact for contact in reached.values()})
    addressed = [(each, digest) for each in waiting if each.id in reached and (digest := _address(each, reached[each.id])) is not None]
    locks = {each.id: (recipients.contact_lock(each), recipients.address_lock(digest)) for each, digest in addressed}
    often = Counter(name for names in locks.values() for name in names)
    got = alone_ahead(name for name, times in often.items() if times == 1)
    alone = [(each, digest) for each, digest in addressed if got.issuperset(locks[each.id])]
    if alone:
        ahead.keep("facts", message_rows.facts_of_each([each for each, _ in alone], since))
        used = message_rows.used_at_each(alone, since)
        ahead.keep("used", {(each.id, digest): used[each.id] for each, digest in alone})
    runs.read_ahead([each.run for each in waiting if each.run])


def _contacts_of(messages: Sequence[Message]) -> dict[str, Contact]:
    """Message → its contact, where its collection holds contacts."""
    keys: dict[str, list[str]] = {}
    for each in messages:
        if each.collection is not None and each.record is not None and each.channel != "chat":
            keys.setdefault(each.collection, []).append(each.record)
    found: dict[tuple[str, str], Contact] = {}
    for collection, wanted in keys.items():
        with suppress(ConsoleError):
            if contacts.is_contact(collection):
                found |= {(collection, key): contact for key, contact in contacts.known_contacts(collection, wanted).items()}
    return {each.id: found[about] for each in messages if (about := (each.collection or "", each.record or "")) in found}


def _address(message: Message, contact: Contact) -> bytes | None:
    """The digest of the address that it goes to, which is kept at hand too; None where it goes to none."""
    if (content := message.content) is None:
        return None
    told = recipients.address_for(message, content, contact)
    ahead.keep("address", {message.id: told})
    return recipients.address_digest(told[0]) if told[0] else None
