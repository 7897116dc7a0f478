"""Consent that is withdrawn: by a word in a message, by a link, by the label of a call. It holds at once; then it is written to the user's database.

The console's own row is what the gate looks at, so that a database that is down or read-only sends nobody anything.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import browse, log, records
from console.core.actor import Actor
from console.core.contact_consents import current_consent
from console.core.contacting import CHANNELS
from console.core.documents.collections import Collection, Field
from console.core.documents.collections.consent_places import column_of, consents_relation
from console.core.documents.collections.contact_document import ConsentDocument
from console.core.errors import Conflict, ConsoleError
from console.core.moments import moment_text
from console.core.scopes import unrestricted
from console.infra.db.engine import alone, fetch, transaction
from console.infra.subjects import subject_of
from console.messaging.messages.message_events import WRITER
from console.records import record_keys, subject as subject_record

OUTWARD = tuple(channel for channel in CHANNELS if channel != "chat")
WORDS = (
    "withdrawn",
    "opted_out",
    "opt_out",
    "revoked",
    "unsubscribed",
    "denied",
    "declined",
    "refused",
    "no",
    "false",
    "0",
)
"""Words that say that consent is gone, as the column's options may have them."""
SOURCES = {
    "sms": "SMS reply",
    "email": "e-mail reply",
    "link": "unsubscribe link",
    "call": "said on a call",
    "complaint": "reported as unwanted",
}
ADDRESS = "@"
"""Stands for the collection where an address itself is barred, of however many contacts it is; the record is then its digest."""
AT_ONCE, MOST_ROWS = 100, 200
TRIES_DAYS = 30
_log = logging.getLogger(__name__)
_ADD = sa.text(
    "insert into console.opt_out (collection, record, channel, at, source, message) values (:collection, :record, :channel, :at, :source, :message)"
)
_ADD_BARRED = sa.text(
    "insert into console.opt_out (collection, record, channel, at, source, message, written_at) values (:collection, :record, :channel, :at, :source, :message, :at)"
)
_ADD_ADDRESS = sa.text(
    "insert into console.opt_out (collection, record, channel, at, source, message, written_at)"
    " select :collection, encode(m.address, 'hex'), :channel, :at, :source, :message, :at from console.message m where m.id = :message and m.address is not null"
)
_DUE_AGAIN = (
    "update console.message m set due_at = :at + case when exists (select from console.enrolment e where e.run = m.run and e.left_at is null and not e.of_run)"
    " then interval '20 seconds' else interval '0' end"
)
_WAKE_ADDRESSES = sa.text(
    f"{_DUE_AGAIN} where m.status = 'waiting' and m.direction = 'out' and m.channel = any(:channels) and m.address = any(array("  # noqa: S608 (texts of ours)
    "select b.address from console.message b where b.id = :message and b.address is not null"
    " union all select decode(a, 'hex') from unnest(cast(:addresses as text[])) a))"
)
_WAKE = sa.text(
    f"{_DUE_AGAIN} where m.collection = :collection and m.record = any(:records) and m.status = 'waiting' and m.channel = any(:channels)"
)
"""Who is in a workflow has time to leave it by its exit: otherwise the run would go on from the skipped message first, and end as if nobody had opted out."""
_STANDING = (
    "select channel, max(at) from console.opt_out where collection = %s and record = %s group by channel"
)
_ENDED_BY = """
select m.id from console.message m where m.id = any(%s) and m.direction = 'in' and exists (select from console.opt_out o where o.message = m.id
    and (o.collection, o.record) in ((m.collection, m.record), ('@', encode(m.address, 'hex'))))
"""
_LEFT = "select id, collection, record, channel, at, source from console.opt_out where written_at is null and at > %s order by id limit %s"
_WRITTEN = "update console.opt_out set written_at = %s where id = %s returning id"


def withdraw(
    contacts: Sequence[tuple[str, str]],
    channels: Sequence[str],
    source: str,
    message_id: str | None = None,
    *,
    bars_address: bool = True,
    addresses: Mapping[str, str] = MappingProxyType({}),
    by: Actor = WRITER,
    connection: Connection | None = None,
) -> None:
    """Take back the consent of these contacts, (collection, record) each, to these channels at once: what waits for them is judged again now.

    The address of the message is barred too (`bars_address`: it is one), for whoever else has it, or gets it later; so are `addresses`, channel → digest.
    `by` says so for them. With the transaction of `connection`, else with one of its own.
    """
    wanted = [channel for channel in OUTWARD if channel in channels]
    if not wanted:
        return
    now = log.now()
    with nullcontext(connection) if connection is not None else transaction() as under_way:
        given = {"at": now, "source": SOURCES.get(source, source), "message": message_id}
        for channel in wanted if bars_address else ():
            under_way.execute(_ADD_ADDRESS, given | {"collection": ADDRESS, "channel": channel})
        for channel in wanted:
            if channel in addresses:
                under_way.execute(
                    _ADD_BARRED,
                    given | {"collection": ADDRESS, "record": addresses[channel], "channel": channel},
                )
        data = {"channels": wanted, "source": source, "message_id": message_id}
        _wake_addresses(message_id if bars_address else None, addresses, wanted, now, under_way)
        if not contacts:
            log.note(by, "consent_withdrawn", open=data, connection=under_way)
        for collection, record in contacts:
            for channel in wanted:
                under_way.execute(
                    _ADD, given | {"collection": collection, "record": record, "channel": channel}
                )
            wake(collection, {record: wanted}, now, under_way)
            log.note(
                by,
                "consent_withdrawn",
                open=data,
                connection=under_way,
                **browse.about_reference((collection, record)),
            )


def _wake_addresses(
    message_id: str | None,
    addresses: Mapping[str, str],
    channels: Sequence[str],
    at: datetime,
    connection: Connection,
) -> None:
    """Have what waits for these addresses, and for that of the message, judged again, whoever has them."""
    kinds = sorted({"call" if channel == "ai_call" else channel for channel in channels})
    barred = sorted({addresses[channel] for channel in channels if channel in addresses})
    connection.execute(
        _WAKE_ADDRESSES, {"at": at, "message": message_id, "addresses": barred, "channels": kinds}
    )


def wake(collection: str, ended: Mapping[str, Sequence[str]], at: datetime, connection: Connection) -> None:
    """Have what waits for these contacts judged again, record → channels that they take back."""
    by_kinds: dict[tuple[str, ...], list[str]] = {}
    for record, channels in ended.items():
        kinds = sorted({"call" if channel == "ai_call" else channel for channel in channels})
        by_kinds.setdefault(tuple(kinds), []).append(record)
    for kinds_told, told_records in by_kinds.items():
        connection.execute(
            _WAKE, {"at": at, "collection": collection, "records": told_records, "channels": list(kinds_told)}
        )


def ended_channels(collection: str, record: str) -> set[str]:
    """Channels that the contact took back here."""
    return {channel for channel, _ in fetch(_STANDING, (collection, record))}


def ended_by(message_ids: Sequence[str]) -> set[str]:
    """Those of the messages that came in that took consent back, of their contact or of the address: what was heard then, whatever words end messages now."""
    return {message_id for (message_id,) in fetch(_ENDED_BY, (list(message_ids),))} if message_ids else set()


def write_left() -> int:
    """Write what was taken back into the users' databases, where their documents say that consent stands there. How many were written."""
    since = datetime.fromtimestamp(log.now().timestamp() - TRIES_DAYS * 86400, UTC)
    written = 0
    with alone("opt-outs") as mine:
        for row_id, collection, record, channel, at, source in fetch(_LEFT, (since, AT_ONCE)) if mine else ():
            try:
                _write(collection, record, channel, at, source)
            except ConsoleError as error:
                _log.warning("consent of a record of %s: %s", collection, error.code)
                if error.code in ("source_down", "write_unknown"):
                    continue
            fetch(_WRITTEN, (log.now(), row_id))
            written += 1
    return written


def _write(collection_id: str, record: str, channel: str, at: datetime, source: str) -> None:
    """Note it in the field or the table of consents. Nothing where the document names none."""
    collection = records.collection(collection_id)
    consent = collection.contact.consent.get(channel) if collection.contact is not None else None
    if consent is None:
        return
    if consent.table is None:
        changes = _changes(collection, consent, at, source)
        with _noting():
            records.write(collection_id, record, changes, unrestricted(collection_id), by_action=True)
        return
    relation = consents_relation(collection, consent.table)
    if relation is None:
        return
    there = records.collection(relation.collection)
    rows = _newest(collection, there, consent, relation.name, record)
    if _ended_in_its_row(there, consent, channel, rows, at):
        return
    row = _row(collection, there, consent, record, channel, at, source, rows)
    with _noting(), log.reserved() as repeated:
        if repeated:
            raise Conflict("Whether the consent was written before is not known.", code="write_unknown")
        records.insert(there.id, row, unrestricted(there.id))


def not_written(collection: Collection) -> list[str]:
    """Where what contacts take back cannot be written to the user's database, or not for everybody, in sentences. It holds all the same. Raises SourceDown."""
    told: dict[str, None] = {}
    for consent in collection.contact.consent.values() if collection.contact is not None else ():
        relation = consents_relation(collection, consent.table) if consent.table is not None else None
        if consent.table is not None and relation is None:
            continue
        place = records.collection(relation.collection) if relation is not None else collection
        try:
            records.catalogue.require_writable(place)
        except ConsoleError as error:
            told[f"It holds here, but is not written to {place.label}. {error.message}"] = None
            continue
        if relation is not None and (
            lacking := _lacking(place, consent, [name for _, name in relation.columns])
        ):
            told[
                f"It is written to {place.label} of who has an entry there; for others it holds here only, because a new entry needs {lacking}."
            ] = None
    return list(told)


def _lacking(there: Collection, consent: ConsentDocument, link: Sequence[str]) -> str:
    """What a row that takes a consent back needs and only an earlier row of the contact tells, in words."""
    said = {column_of(consent, part, there) for part in ("channel", "state", "at", "withdrawn_at", "source")}
    needed = [
        each for each in there.stored_fields if each.needed and each.name not in {*there.key, *link, *said}
    ]
    filled = records.filled_by_database(there) if needed else {}
    return " and ".join(", ".join(each.label for each in needed if each.name not in filled).rsplit(", ", 1))


def _newest(
    collection: Collection, there: Collection, consent: ConsentDocument, relation: str, record: str
) -> Sequence[records.Record]:
    """The newest rows of the contact in the table of consents."""
    sort = column_of(consent, "at", there)
    return records.related(
        collection.id, record, relation, unrestricted(there.id), MOST_ROWS, sort=f"-{sort}" if sort else None
    ).rows


def _ended_in_its_row(
    there: Collection, consent: ConsentDocument, channel: str, rows: Sequence[records.Record], at: datetime
) -> bool:
    """Whether the row by which the consent stands says now since when it does not: where the table keeps that, and lets its rows be changed."""
    stands = current_consent(consent, channel, there, [row.values for row in rows])
    gone = column_of(consent, "withdrawn_at", there)
    if gone is None or stands is None or not stands.given:
        return False
    key = next(row.key for row in rows if row.values is stands.row)
    try:
        with _noting():
            records.write(
                there.id,
                key or "",
                {gone: {"new": _stamped(there.by_name[gone], at)}},
                unrestricted(there.id),
                by_action=True,
            )
    except ConsoleError as error:
        if error.code in ("source_down", "write_unknown"):
            raise
        return False  # its rows are only added
    return True


@contextmanager
def _noting() -> Iterator[None]:
    """Tell the log what the block changes, with the values that the database keeps."""
    with records.noted_changes() as changes:
        yield
    for changed in changes:
        about = subject_record(changed.collection, changed.key) if changed.key else None
        new = dict(changed.new or {})
        log.note(
            WRITER,
            "record_changed",
            open={"fields": sorted(new), "result": "succeeded"}
            | ({"effect": "added"} if changed.old is None else {}),
            sealed={"old": dict(changed.old or {}), "new": new},
            collection=changed.collection,
            record=records.reference_in_log(changed.collection, changed.key),
            subject=subject_of(*about) if about else None,
        )


def _changes(
    collection: Collection, consent: ConsentDocument, at: datetime, source: str
) -> dict[str, dict[str, Any]]:
    """The fields of the contact that say that consent is gone."""
    found: dict[str, Any] = {}
    field = collection.by_name.get(consent.field or "")
    if field is not None:
        found[field.name] = _gone(field)
    for name, value in ((consent.withdrawn_at, at), (consent.source, source)):
        if name is not None and name in collection.by_name:
            found[name] = _stamped(collection.by_name[name], value)
    return {name: {"new": value} for name, value in found.items()}


def _row(
    collection: Collection,
    there: Collection,
    consent: ConsentDocument,
    record: str,
    channel: str,
    at: datetime,
    source: str,
    rows: Sequence[records.Record],
) -> dict[str, Any]:
    """A row of the table of consents that takes it back; what else the table asks for is as in the contact's newest row."""
    relation = consents_relation(collection, consent.table or "")
    if relation is None:
        return {}
    keys = record_keys.decode(collection, record)
    link = {
        column: keys[collection.key.index(own)] for own, column in relation.columns if own in collection.key
    }
    said = {column_of(consent, "channel", there): consent.is_ or channel}
    if (state := column_of(consent, "state", there)) is not None:
        said[state] = _gone(there.by_name[state])
    for part, value in (("at", at), ("withdrawn_at", at), ("source", source)):
        name = column_of(consent, part, there)
        if name is not None and name in there.by_name:
            said[name] = _stamped(there.by_name[name], value)
    before: Mapping[str, Any] = rows[0].values if rows else {}
    needed = {field.name for field in there.stored_fields if field.needed and field.name not in there.key}
    rest = {
        name: value
        for name, value in before.items()
        if name in needed and name not in said and name not in link
    }
    return {**rest, **link, **{name: value for name, value in said.items() if name is not None}}


def _gone(field: Field) -> Any:
    """The value of this field that says that consent is gone."""
    if field.type == "boolean":
        return False
    options = [str(option.value) for option in field.options or ()]
    return next((option for word in WORDS for option in options if option.casefold() == word), "withdrawn")


def _stamped(field: Field, value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    return value.date().isoformat() if field.type == "date" else moment_text(value)
