"""A single message to one contact, asked for by a person or a program and not by the step of a run. It leaves by the gate and the jobs of all others."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from console import access, browse, log, queue, records, subjects
from console.core.actor import Actor
from console.core.contacting import Contact, Kind, Outgoing, Skip, judge
from console.db.engine import transaction
from console.db.ids import new_id
from console.errors import Invalid, NotAllowed, NotFound
from console.messages import inbound, kept_rules, message_rows, recipients

ACT = "message"
_ADD = sa.text(
    "insert into console.message (id, key, collection, record, channel, direction, status, code, consent, outcome, asked_at, due_at, at, expires_s, subject, kid, "
    "nonce, ct, result_nonce, result_ct) values (:id, :id, :collection, :record, :channel, 'out', :status, :code, :channel, :outcome, :at, :due_at, :at, "
    ":expires_s, :subject, :kid, :nonce, :ct, :result_nonce, :result_ct)"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A message that is wanted. `record` is the key of the contact; `headline` the subject of an e-mail, empty for an SMS; `text` is Markdown in an e-mail."""

    collection: str
    record: str
    channel: Kind
    headline: str
    text: str
    expires_s: int


def ask(actor: Actor, asked: Asked) -> str:
    """Ask for the message; its id. Where the gate does not let it leave, and will not, it is skipped at once, with the reason.

    Needs the right `message` on the contact. Raises NotAllowed, Invalid with a detail per field, SourceDown. Who is not there, and whom the
    actor may not see, are refused in the same words.
    """
    refused = _refused(_contact(actor, asked), asked)
    message_id, now = new_id("msg"), log.now()
    subject = inbound.subject_of(asked.collection, asked.record)
    content = {"to": None, "subject": asked.headline, "text": asked.text}
    kid, nonce, ct = subjects.seal(subject, f"message|{message_id}", content)
    row = {
        "id": message_id, "collection": asked.collection, "record": asked.record, "channel": asked.channel, "at": now, "due_at": now, "status": "waiting",
        "expires_s": asked.expires_s, "subject": subject, "kid": kid, "nonce": nonce, "ct": ct,
    } | dict.fromkeys(("code", "outcome", "result_nonce", "result_ct"))  # fmt: skip
    about: dict[str, Any] = {
        "collection": asked.collection, "record": records.reference_in_log(asked.collection, asked.record), "subject": subject,
        "label": access.label_of(f"collection:{asked.collection}"),
    }  # fmt: skip
    named = {"message_id": message_id, "channel": asked.channel}
    if refused is not None:
        _, result_nonce, result_ct = subjects.seal(subject, f"message result|{message_id}", {"reason": refused.reason})
        row |= {
            "status": "skipped",
            "outcome": "skipped",
            "code": refused.code,
            "due_at": None,
            "result_nonce": result_nonce,
            "result_ct": result_ct,
        }
    with transaction() as connection:
        connection.execute(_ADD, row)
        log.note(
            actor,
            "message_requested",
            open=named | {"expires_s": asked.expires_s},
            sealed={"content": content},
            **about,
            connection=connection,
        )
        if refused is not None:
            log.note(
                actor,
                "message_skipped",
                open=named | {"code": refused.code},
                sealed={"reason": refused.reason},
                **about,
                connection=connection,
            )
        else:
            job = queue.send(message_id, asked.channel)
            queue.enqueue(connection, job.entrypoint, job.payload, dedupe_key=job.key)
    return message_id


def _contact(actor: Actor, asked: Asked) -> Contact:
    """The contact, whom the actor may write to."""
    try:
        collection, seen = browse.browsed_collection(actor, asked.collection)
    except NotFound:
        raise _nothing("collection", "There is no such collection of contacts.") from None
    if collection.contact is None:
        raise _nothing("collection", "There is no such collection of contacts.")
    if not records.visible_keys(collection.id, [asked.record], seen):
        raise _nothing("contact", "There is no such contact.")
    access.require(actor, None, f"collection:{collection.id}", ACT)
    if not records.visible_keys(collection.id, [asked.record], access.scope_for(actor, collection.id, ACT)):
        refusal = "You may see this contact, but not write to it. An admin can grant it."
        raise NotAllowed(refusal, need=(f"collection:{collection.id}", ACT))
    try:
        return recipients.contact_at(collection.id, asked.record)
    except NotFound:
        raise _nothing("contact", "There is no such contact.") from None


def _nothing(field: str, reason: str) -> Invalid:
    return Invalid(reason, at=(field, reason))


def _refused(contact: Contact, asked: Asked) -> Skip | None:
    """Why the gate does not let it leave, as things stand; None where it may, now or later."""
    now, rules = log.now(), kept_rules.current()
    own = contact.email if asked.channel == "email" else contact.phone
    address, why = recipients.address_of(asked.channel, own, contact.country)
    used = message_rows.used_of_each(contact.collection, {contact.key: recipients.own_addresses(contact)}, now - rules.longest)
    outgoing = Outgoing(asked.channel, asked.channel, now, timedelta(seconds=asked.expires_s), why)
    verdict = judge(outgoing, contact, recipients.zones_of(contact, address), used.get(contact.key, ()), now, rules)
    return verdict if isinstance(verdict, Skip) else None
