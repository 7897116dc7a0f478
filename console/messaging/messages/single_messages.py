"""A single message to one contact, asked for by a person or a program and not by the step of a run. It leaves by the gate and the jobs of all others."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from console import browse, log, records
from console.auth import access
from console.core.actor import Actor
from console.core.contacting import Contact, Kind, Outgoing, Skip, Verdict, judge
from console.core.errors import Invalid, NotAllowed, NotFound
from console.infra import jobs, subjects
from console.infra.db.engine import transaction
from console.infra.db.ids import new_id
from console.messaging.messages import inbound, message_rows, recipients, rules as kept_rules

ACT = "message"
CHANNELS: tuple[Kind, ...] = ("email", "sms")
LONGEST, LONGEST_SUBJECT, LONGEST_TEXT = 1600, 200, 50_000
"""Characters of an SMS, of the subject of an e-mail and of its text, as in their steps."""
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


def wrong_parts(channel: str, headline: str, text: str) -> list[dict[str, str]]:
    """What is wrong with a message, a detail for each of `subject` and `text`; empty where it can be asked for."""
    wrong = []
    if channel == "email" and not headline.strip():
        wrong.append({"field": "subject", "reason": "An e-mail needs a subject."})
    if channel == "email" and len(headline) > LONGEST_SUBJECT:
        wrong.append({"field": "subject", "reason": f"A subject has at most {LONGEST_SUBJECT} characters."})
    if channel == "sms" and headline:
        wrong.append({"field": "subject", "reason": "An SMS has no subject: leave it out."})
    most, what = (LONGEST, "An SMS") if channel == "sms" else (LONGEST_TEXT, "An e-mail")
    if len(text) > most:
        wrong.append({"field": "text", "reason": f"{what} has at most {most:,} characters."})
    if not text.strip():
        wrong.append({"field": "text", "reason": "Say something."})
    return wrong


def may_write(actor: Actor, collection_id: str) -> bool:
    """Whether the actor may write to contacts of the collection, some of them at least."""
    return not access.scope_for(actor, collection_id, ACT).nothing


def outlooks(actor: Actor, collection_id: str, key: str, expires_s: int) -> Mapping[Kind, Verdict]:
    """Channel → what the gate would say now to a message by it. Raises NotAllowed, Invalid where there is no such contact, SourceDown."""
    contact = _contact(actor, collection_id, key)
    return {channel: _verdict(contact, channel, expires_s) for channel in CHANNELS}


def ask(actor: Actor, asked: Asked) -> str:
    """Ask for the message; its id. Where the gate does not let it leave, and will not, it is skipped at once, with the reason.

    Needs the right `message` on the contact. Raises NotAllowed, Invalid with a detail per field, SourceDown. Who is not there, and whom the
    actor may not see, are refused in the same words.
    """
    verdict = _verdict(_contact(actor, asked.collection, asked.record), asked.channel, asked.expires_s)
    refused = verdict if isinstance(verdict, Skip) else None
    message_id, now = new_id("msg"), log.now()
    subject = inbound.subject_of(asked.collection, asked.record)
    content = {"to": None, "subject": asked.headline, "text": asked.text}
    kid, nonce, ct = subjects.seal(subject, f"message|{message_id}", content)
    row = {
        "id": message_id,
        "collection": asked.collection,
        "record": asked.record,
        "channel": asked.channel,
        "at": now,
        "due_at": now,
        "status": "waiting",
        "expires_s": asked.expires_s,
        "subject": subject,
        "kid": kid,
        "nonce": nonce,
        "ct": ct,
    } | dict.fromkeys(("code", "outcome", "result_nonce", "result_ct"))
    about = browse.about_record(records.collection(asked.collection), asked.record)
    about |= {
        "collection": asked.collection,
        "subject": subject,
        "label": access.label_of(f"collection:{asked.collection}"),
    }
    titled = about.pop("sealed")
    named = {"message_id": message_id, "channel": asked.channel}
    if refused is not None:
        _, result_nonce, result_ct = subjects.seal(
            subject, f"message result|{message_id}", {"reason": refused.reason}
        )
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
            sealed={"content": content, **titled},
            **about,
            connection=connection,
        )
        if refused is not None:
            log.note(
                actor,
                "message_skipped",
                open=named | {"code": refused.code},
                sealed={"reason": refused.reason, **titled},
                **about,
                connection=connection,
            )
        else:
            job = jobs.send(message_id, asked.channel)
            jobs.enqueue(connection, job.entrypoint, job.payload, dedupe_key=job.key)
    return message_id


def _contact(actor: Actor, collection_id: str, key: str) -> Contact:
    """The contact, whom the actor may write to."""
    try:
        collection, seen = browse.browsed_collection(actor, collection_id)
    except NotFound:
        raise _nothing("collection", "There is no such collection of contacts.") from None
    if collection.contact is None:
        raise _nothing("collection", "There is no such collection of contacts.")
    if not records.visible_keys(collection.id, [key], seen):
        raise _nothing("contact", "There is no such contact.")
    access.require(actor, None, f"collection:{collection.id}", ACT)
    if not records.visible_keys(collection.id, [key], access.scope_for(actor, collection.id, ACT)):
        refusal = "You may see this contact, but not write to it. An admin can grant it."
        raise NotAllowed(refusal, need=(f"collection:{collection.id}", ACT))
    try:
        return recipients.contact_at(collection.id, key)
    except NotFound:
        raise _nothing("contact", "There is no such contact.") from None


def _nothing(field: str, reason: str) -> Invalid:
    return Invalid(reason, at=field)


def _verdict(contact: Contact, channel: Kind, expires_s: int) -> Verdict:
    """What the gate says to a message that is asked for now."""
    now, rules = log.now(), kept_rules.current()
    own = contact.email if channel == "email" else contact.phone
    address, why = recipients.address_of(channel, own, contact.country)
    used = message_rows.used_of_each(
        contact.collection, {contact.key: recipients.own_addresses(contact)}, now - rules.longest
    )
    outgoing = Outgoing(channel, channel, now, timedelta(seconds=expires_s), why)
    return judge(
        outgoing, contact, recipients.zones_of(contact, address), used.get(contact.key, ()), now, rules
    )
