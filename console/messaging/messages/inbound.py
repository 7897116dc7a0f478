"""Messages that come in: matched to a contact, kept once, and listened to for words that end messages. Those of strangers, by hand: put aside, or given to a contact."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import browse, log, records
from console.auth import access
from console.core import expressions
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import Conflict, ConsoleError
from console.core.filters import ENDING, LAST_DIGITS, Group, Test
from console.core.scopes import Scope, unrestricted
from console.core.stop_words import is_stop
from console.formats import phone_plans
from console.infra import faults, subjects
from console.infra.db.engine import alone, fetch, transaction
from console.infra.db.ids import new_id
from console.messaging.messages import opting_out, recipients
from console.messaging.messages.message_events import WRITER
from console.messaging.messages.message_rows import Message, by_id, change, read

_log = logging.getLogger(__name__)
LONGEST = 20_000
MOST_LIKELY = 500
"""Contacts whose number ends alike that are compared, where it is written in an unusual way."""
MOST_SHARING = 100
"""Contacts who have one number or address between them."""
STOPPED = {"sms": ("sms", "call", "ai_call"), "email": ("email",), "call": ("call", "ai_call")}
"""Which consents a word ends that came by this kind of message."""
Who = tuple[str, str]  # (collection, record) of a contact
STRANGERS = "direction = 'in' and record is null and run is null and status = 'received'"
_LAST = """
select collection, record from console.message where address = %s and direction = 'out' and collection is not null order by at desc limit 1
"""
_RUNS_OF_LEADS = """
select run, workflow, version, team, label, subject from (select distinct on (run) run, workflow, version, team, label, subject, at from console.message
    where address = %s and direction = 'out' and record is null and run is not null order by run, at desc) written order by at desc limit 20
"""
_OF_RUN = ("run", "workflow", "version", "team", "label", "subject")
COMPLAINT = "complaint"
_COMPLAINED = "id = %s and channel = %s and direction = 'out' and not sandbox and status <> 'waiting'"
_HEARD = "select from console.opt_out where message = %s and source = %s"
_KNOWN = "select id from console.message where provider = %s and provider_id = %s and direction = 'in'"
_IN = sa.text(
    "insert into console.message (id, key, run, workflow, version, team, label, collection, record, channel, direction, status, asked_at, at, provider,"
    " provider_id, address, subject, kid, nonce, ct) values (:id, :id, :run, :workflow, :version, :team, :label, :collection, :record, :channel, 'in',"
    " 'received', :at, :at, :provider, :provider_id, :address, :subject, :kid, :nonce, :ct) on conflict do nothing"
)


def receive(
    kind: str,
    provider: str,
    *,
    sender: str,
    text: str,
    provider_id: str,
    stops: bool = False,
    by: Actor = WRITER,
) -> Message | None:
    """Keep a message that came in; the same one again changes nothing. None where it was kept before.

    A word that ends messages takes back consent before this returns, and so does what the provider took for one (`stops`). `by` has it come in.
    """
    provider_id = provider_id.replace("\x00", "")
    if provider_id and fetch(_KNOWN, (provider, provider_id)):
        return None
    known, _ = recipients.address_of(kind, sender.replace("\x00", ""), None)
    address = known or sender.replace("\x00", "").strip()[:200]
    kept_text, stop = text[:LONGEST].replace("\x00", ""), stops or is_stop(text)
    found = contact_behind(kind, known) if known else None  # what is no address is nobody's
    sharing = everybody_at(kind, address, found) if stop else []
    message_id, now = new_id("msg"), log.now()
    answered = read_runs_of_leads(address)
    lead = answered[0] if answered and found is None else dict.fromkeys(_OF_RUN)
    subject = subject_of(*found) if found else lead["subject"] or subjects.subject_of("message", message_id)
    kid, nonce, ct = subjects.seal(subject, f"message|{message_id}", {"from": address, "text": kept_text})
    collection, record = found or (None, None)
    row: dict[str, Any] = {
        "id": message_id,
        "channel": kind,
        "at": now,
        "provider": provider,
        "provider_id": provider_id or None,
        "collection": collection,
        "record": record,
        **lead,
        "subject": subject,
        "kid": kid,
        "nonce": nonce,
        "ct": ct,
    }
    with transaction() as connection:
        if connection.execute(_IN, row | {"address": recipients.address_digest(address)}).rowcount == 0:
            return None
        tell(
            connection,
            by,
            (kind, message_id),
            found,
            sharing if stop else None,
            bars=bool(known),
            answered=answered,
        )
        faults.point("messages.received.before")
    return by_id(message_id)


def read_runs_of_leads(address: str) -> list[dict[str, Any]]:
    """Return the runs that wrote to this address of somebody without a record, the last one first, at most 20."""
    return [
        dict(zip(_OF_RUN, row, strict=True))
        for row in fetch(_RUNS_OF_LEADS, (recipients.address_digest(address),))
    ]


def complain(kind: str, message_id: str, address: str) -> None:
    """Somebody called a message unwanted where they read it: take their consent back, as a word of theirs would. The same one again changes nothing.

    They are whom our message reached, where its id is known, else who has the address. One about nobody is passed over: anybody can write it.
    """
    message = next(iter(read(_COMPLAINED, (message_id, kind))), None) if message_id else None
    if message is not None and fetch(_HEARD, (message.id, opting_out.SOURCES[COMPLAINT])):
        return
    known, _ = recipients.address_of(
        kind, str(message.result.get("to") or address) if message is not None else address, None
    )
    found = (
        (message.collection, message.record)
        if message is not None and message.collection and message.record
        else None
    )
    found = found or (contact_behind(kind, known) if known else None)
    sharing = everybody_at(kind, known, found) if known else [found] if found else []
    barred = {kind: recipients.address_digest(known).hex()} if known else {}
    about = message.id if message is not None else None
    opting_out.withdraw(sharing, STOPPED[kind], COMPLAINT, about, bars_address=False, addresses=barred)


def tell(
    connection: Connection,
    by: Actor,
    message: tuple[str, str],
    found: Who | None,
    stopping: Sequence[Who] | None,
    *,
    bars: bool = True,
    answered: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Say in the log whose the message (its kind and id) is, and at once take back the consent of those who say stop with it; None: it does not.

    Each of those has written it: nobody knows which, and no run of any of them has to wait for their answer any more. `answered` are the runs of
    leads without a record to whom we wrote at this address.
    """
    kind, message_id = message
    told = {
        "message_id": message_id,
        "channel": kind,
        "stop": stopping is not None,
        "known": bool(found or answered),
    }
    answered_by_label: dict[str | None, list[str]] = {}
    for run in answered:  # an event names only runs that its readers are cleared for
        answered_by_label.setdefault(run["label"], []).append(run["run"])
    if stopping is not None:  # told first: who leaves a workflow by it has opted out, and not only written
        opting_out.withdraw(
            stopping, STOPPED.get(kind, ()), kind, message_id, bars_address=bars, by=by, connection=connection
        )
    writers: Sequence[Who | None] = stopping or [found]
    own = answered_by_label.pop(None, None)
    for who in writers if own or found or not answered else ():
        data = told | ({"answered_runs": own} if own else {})
        log.note(by, "message_received", open=data, connection=connection, **browse.about_reference(who))
    for label, run_ids in answered_by_label.items():
        log.note(
            by, "message_received", open=told | {"answered_runs": run_ids}, label=label, connection=connection
        )


def everybody_at(kind: str, address: str, first: tuple[str, str] | None) -> list[tuple[str, str]]:
    """(collection, record) of those who have this address: who wants no more messages means the number, of how many contacts it may be.

    `first` is the one that the message is from, who is known in any case. Of very many the first ones; for the others the address itself is barred.
    """
    return list(
        dict.fromkeys(
            [
                *([first] if first is not None else []),
                *_contacts_at("email" if kind == "email" else "sms", address),
            ]
        )
    )


def contact_behind(kind: str, address: str) -> tuple[str, str] | None:
    """(collection, record) of who has this address: whom we wrote to last at it, else the first contact that has it; None for a stranger."""
    rows = fetch(_LAST, (recipients.address_digest(address),))
    return (rows[0][0], rows[0][1]) if rows else next(_contacts_at(kind, address, most=1), None)


def _contacts_at(kind: str, address: str, most: int = MOST_SHARING) -> Iterator[tuple[str, str]]:
    """(collection, record) of those who have this address, at most so many of a collection."""
    for collection in records.collections():
        mapped = collection.contact
        column = None if mapped is None else mapped.email if kind == "email" else mapped.phone
        if column is None or column not in collection.by_name:
            continue
        try:
            keys = keys_by_address(collection, column, kind, address, most)
        except ConsoleError as error:  # the source is down: the message is kept without a contact
            _log.warning(
                "whose address a message came from is not looked up in %s: %s", collection.id, error.message
            )
            continue
        yield from ((collection.id, key) for key in keys)


def keys_by_address(
    collection: Collection, column: str, kind: str, address: str, most: int, scope: Scope | None = None
) -> list[str]:
    """The records with this address, within the scope (None: of all), however it is written: by the usual ways, and where more are asked for or none has it so, as one of several or by the last digits of a number."""
    scope, address = (
        scope or unrestricted(collection.id),
        recipients.address_of(kind, address, None)[0] or address,
    )
    meant = phone_plans.canonical(address)
    written = " || ".join(
        f"record.{column} == {_quoted(way)}" for way in recipients.ways_to_write(kind, address)
    )
    page = records.page(collection.id, scope, segment=expressions.parse(written), limit=most)
    found = [row.key for row in page.rows if row.key is not None]
    if len(found) >= most:
        return found
    parts = (address,) if kind == "email" else (address[-2:], address[-4:-2])
    looks: list[Test | Group] = [Group("and", tuple(Test(column, "contains", part) for part in parts))]
    if kind != "email" and collection.by_name[column].stored == "text":
        looks.insert(0, Test(column, ENDING, [recipients.digits_of(address)[-LAST_DIGITS:]]))
    country = collection.contact.country if collection.contact is not None else None
    for row in (
        row
        for look in looks
        for row in records.page(collection.id, scope, where=look, limit=MOST_LIKELY).rows
    ):
        own = recipients.addresses_of(kind, str(row.values.get(column) or ""), row.values.get(country or ""))
        if meant in map(phone_plans.canonical, own) and row.key is not None and row.key not in found:
            found.append(row.key)
    return found[:most]


def _quoted(text: str) -> str:
    """The text as a literal of an expression: an address may have a quote in it, such as O'Brien's."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def subject_of(collection: str, record: str) -> str:
    """Under whose key the texts of this contact's messages are kept."""
    about = records.subject(collection, record)
    return subjects.subject_of(*(about or (collection, record)))


def _of_strangers(actor: Actor, message_ids: Sequence[str]) -> list[Message]:
    """Those of the messages that are nobody's. Raises NotAllowed for who does not manage channels."""
    access.require(actor, None, "source", "manage")
    return read(
        f"id = any(%s) and {STRANGERS} order by at", ([each.replace("\x00", "") for each in message_ids],)
    )


def put_aside(actor: Actor, message_ids: Sequence[str]) -> int:
    """Take these out of the list of what waits for somebody; they stay in the outbox. How many were."""
    strangers = _of_strangers(actor, message_ids)
    with transaction() as connection:
        aside = [
            each.id
            for each in strangers
            if change(each, ["received"], connection=connection, status="cancelled", code="put_aside")
        ]
        if aside:
            log.note(actor, "messages_put_aside", open={"messages": aside}, connection=connection)
    return len(aside)


def match(actor: Actor, message_ids: Sequence[str]) -> int:
    """Give each to the contact who has its sender's address by now; what waits for a message of theirs goes on. How many were given. Raises Conflict."""
    with alone("strangers") as mine:  # of two who give the same message at once, one finds it given
        if not mine:
            raise Conflict(
                "Somebody else is giving messages to contacts at this moment. Try again.", code="busy"
            )
        return sum(_given(actor, message) for message in _of_strangers(actor, message_ids))


def _given(actor: Actor, message: Message) -> bool:
    content = dict(message.content or {})
    if not content.get("from") or (found := contact_behind(message.channel, content["from"])) is None:
        return False
    subject = subject_of(*found)
    kid, nonce, ct = subjects.seal(subject, f"message|{message.id}", content)
    columns: dict[str, Any] = {
        "collection": found[0],
        "record": found[1],
        "subject": subject,
        "kid": kid,
        "nonce": nonce,
        "ct": ct,
    }
    with transaction() as connection:
        if change(message, ["received"], connection=connection, **columns) is None:
            return False  # somebody has put it aside since
        stop = is_stop(str(content.get("text", ""))) or bool(opting_out.ended_by([message.id]))
        tell(connection, actor, (message.channel, message.id), found, [found] if stop else None)
    return True
