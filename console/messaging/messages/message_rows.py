"""Messages as they are kept: one row each, its texts sealed under the key of whom it is about.

Statuses: `waiting` (to leave), `sending` (handed to the provider at this moment), `unknown` (it may have left), `sent`, `delivered`, `failed`,
`skipped`, `expired`, `cancelled` (its run went on without it), `received`. `outcome` is what the run is told, once; `due_at` when it is looked at next.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log, workflows
from console.core.contacting import CAMPAIGN, KINDS, Kind, Used
from console.infra import subjects
from console.infra.db.engine import driver_of, fetch
from console.infra.db.ids import new_id

_log = logging.getLogger(__name__)
_COLUMNS = (
    "id, key, run, n, step, workflow, version, team, label, collection, record, channel, direction, status, code, consent, outcome, asked_at, "
    "due_at, at, sent_at, expires_s, most, again_s, number, tries, looks, failures, outcomes, provider, provider_id, sandbox, subject, nonce, ct, "
    "result_nonce, result_ct, opened_at, about"
)
_BY_ID = f"select {_COLUMNS} from console.message where id = any(%s::text[])"  # noqa: S608 (names of ours)
LEFT = ("sending", "unknown", "sent", "delivered")
"""Statuses of a message that left, or may have."""
PENDING = ("waiting", "sending", "unknown")
WEEK = timedelta(days=7)
"""So long ago another message to the same address cannot be taken for this one."""


@dataclass(frozen=True, slots=True)
class Message:
    """A row. Moments are aware UTC; `number` is the try of a call, from 1, `tries` how often the provider was asked for this row."""

    id: str
    key: str
    run: str | None
    n: int | None
    step: str | None
    workflow: str | None
    version: int | None
    team: str | None
    label: str | None
    collection: str | None
    record: str | None
    channel: str
    direction: str
    status: str
    code: str | None
    consent: str | None
    outcome: str | None
    asked_at: datetime
    due_at: datetime | None
    at: datetime
    sent_at: datetime | None
    expires_s: int
    most: int
    again_s: int
    number: int
    tries: int
    looks: int
    failures: int
    outcomes: Sequence[str]
    provider: str | None
    provider_id: str | None
    sandbox: bool
    subject: str
    nonce: bytes | None
    ct: bytes | None
    result_nonce: bytes | None
    result_ct: bytes | None
    opened_at: datetime | None = None
    about: str = CAMPAIGN

    @property
    def content(self) -> Mapping[str, Any] | None:
        """What it says; None where it was erased."""
        return self._opened("message", self.nonce, self.ct)

    @property
    def result(self) -> Mapping[str, Any]:
        """What became of it in words: `reason`, `basis`, `label`, `transcript`, `recording`, and whom it was held for (`held_for`, `held_to`); empty where it was erased."""
        return self._opened("message result", self.result_nonce, self.result_ct) or {}

    def _opened(self, about: str, nonce: bytes | None, ct: bytes | None) -> Mapping[str, Any] | None:
        if nonce is None or ct is None:
            return None
        try:
            opened: Mapping[str, Any] = subjects.unseal(self.subject, f"{about}|{self.id}", nonce, ct)
        except subjects.Unreadable:
            return None
        return opened


def kind_of(message: Message) -> Kind:
    """The kind of the message, as the gate and the providers know it."""
    return next(kind for kind in KINDS if kind == message.channel)


def by_id(message_id: str) -> Message | None:
    """The message of this id; None where there is none."""
    return next(iter(by_ids([message_id])), None) if "\x00" not in message_id else None


def by_ids(message_ids: Sequence[str]) -> list[Message]:
    """Those of these messages that there are; one statement."""
    return [Message(*row) for row in fetch(_BY_ID, (list(message_ids),))]


def read(where: str, given: Any) -> list[Message]:
    """The messages that meet a condition of ours, with what follows it (order, limit)."""
    return [Message(*row) for row in fetch(f"select {_COLUMNS} from console.message where {where}", given)]  # noqa: S608 (texts of this room)


class Bar(NamedTuple):
    """What would bar an address: that who has it (as its digests) wants nothing more by this channel, since the consent was given."""

    addresses: list[str]
    channel: str
    since: datetime


_BARRED = "select from console.opt_out o where o.collection = '@' and o.record = any(%s) and o.channel = %s and o.at >= %s"
_STILL_DUE = " and due_at is not distinct from %s"
_UNBARRED = f" and not exists ({_BARRED})"


def is_barred(bar: Bar) -> bool:
    """Whether somebody has asked for no more messages to this address."""
    return bool(fetch(f"select exists ({_BARRED})", bar)[0][0])


def change(
    message: Message,
    was: Sequence[str],
    *,
    connection: Connection | None = None,
    **changes: Any,
) -> Message | None:
    """The message after these changes (of `changing`); None, and nothing is set, unless it still has one of the statuses `was`, or where an address is barred."""
    statement, values = changing(message, was, **changes)
    rows = (
        fetch(statement, values)
        if connection is None
        else driver_of(connection).execute(statement, values).fetchall()
    )
    return Message(*rows[0]) if rows else None


def changing(
    message: Message,
    was: Sequence[str],
    *,
    result: Mapping[str, Any] | None = None,
    unless: Bar | None = None,
    still_due: bool = False,
    **columns: Any,
) -> log.Part:
    """The statement of `change`, which returns the row, and its values.

    `still_due`: nothing is set either where it is due at another moment than the message says: somebody wanted it judged anew. `result` is added to what became of it before; empty values take out what was there.
    """
    given = columns | _sealed(message, result)
    names = ", ".join(
        f"{name} = {'%b' if isinstance(value, bytes) else '%s'}" for name, value in given.items()
    )
    more = f"{_UNBARRED if unless else ''}{_STILL_DUE if still_due else ''}"
    statement = f"update console.message set {names} where id = %s and status = any(%s::text[]){more} returning {_COLUMNS}"  # noqa: S608 (names of ours)
    return statement, [
        *given.values(),
        message.id,
        list(was),
        *(unless or ()),
        *([message.due_at] if still_due else []),
    ]


def _sealed(message: Message, result: Mapping[str, Any] | None) -> dict[str, Any]:
    if result is None:
        return {}
    if subjects.erased(message.subject):  # meanwhile: what became of it is kept, what was said is not
        return {}
    former = {
        name: value for name, value in message.result.items() if name != "said" or "reason" not in result
    }  # the words go with their reason
    kept = {name: value for name, value in {**former, **result}.items() if value}
    return dict(
        zip(
            ("kid", "result_nonce", "result_ct"),
            subjects.seal(message.subject, f"message result|{message.id}", kept),
            strict=True,
        )
    )


def foreseen(message: Message, result: Mapping[str, Any] | None, **columns: Any) -> Message:
    """The message as `change` will leave it."""
    kept = {name: value for name, value in (columns | _sealed(message, result)).items() if name != "kid"}
    return replace(message, **kept)


def add_again(
    connection: Connection, message: Message, *, number: int, failures: int, due_at: datetime
) -> str:
    """Add the next call of the same step, due at this moment; its id."""
    message_id = new_id("msg")
    kid, nonce, ct = subjects.seal(message.subject, f"message|{message_id}", dict(message.content or {}))
    row = {name: getattr(message, name) for name in _SAME} | {
        "id": message_id,
        "number": number,
        "failures": failures,
        "due": due_at,
    }
    connection.execute(
        _AGAIN,
        row | {"kid": kid, "nonce": nonce, "ct": ct, "of": message.id, "outcomes": list(message.outcomes)},
    )
    return message_id


_SAME = (
    "key",
    "run",
    "n",
    "step",
    "workflow",
    "version",
    "team",
    "label",
    "collection",
    "record",
    "channel",
    "consent",
    "expires_s",
    "most",
    "again_s",
    "about",
    "subject",
)
_AGAIN = sa.text(
    "insert into console.message (id, key, run, n, step, workflow, version, team, label, collection, record, channel, direction, status, consent, "
    "asked_at, due_at, at, expires_s, most, again_s, about, number, failures, outcomes, of, subject, kid, nonce, ct) values (:id, :key, :run, :n, :step, "
    ":workflow, :version, :team, :label, :collection, :record, :channel, 'out', 'waiting', :consent, :due, :due, :due, :expires_s, :most, :again_s, :about, "
    ":number, :failures, :outcomes, :of, :subject, :kid, :nonce, :ct)"
)
COUNTED = "(m.about = 'campaign' or m.channel <> 'email')"
"""What counts for caps: not e-mail in a matter that is under way."""
_FACTS = """
with w as (select %(run)s::text as run, %(key)s::text as key)
select case when w.run = '' or r.waits and e.there is null and r.flow is distinct from 'cancelled' then 'wanted' else 'left' end,
    case when r.flow = 'cancelled' then 'workflow_cancelled' else e.ending end, null::timestamptz, null
    from w left join lateral (select r.ended_at is null and r.status = 'waiting_event' and r.waiting->>'key' = w.key as waits,
        (select c.status from console.workflow c where c.id = r.workflow) as flow from console.run r /* every run */ where r.id = w.run offset 0) r on true
    left join lateral (select true as there, e.ending from console.enrolment e where e.run = w.run and e.left_at is not null offset 0) e on true
union all select 'taken_back', o.channel, o.at, o.source from console.opt_out o where o.collection = %(collection)s and o.record = %(record)s
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the console itself knows when a message is judged.

    `wanted`: its run still waits for it, and whoever it is about has not left the workflow; a message without a run is. `left`: how they have, empty where they have not. `taken_back`: (channel, when,
    where) for each consent that was taken back here, the oldest first.
    """

    wanted: bool
    left: str
    taken_back: Sequence[tuple[str, datetime, str]]


def facts_of(message: Message) -> Facts:
    """The facts about the message; one statement."""
    about = {
        "run": message.run or "",
        "key": message.key,
        "collection": message.collection or "",
        "record": message.record or "",
    }
    (state, left, *_), *taken_back = fetch(_FACTS, about)
    return Facts(
        state == "wanted", left or "", sorted((row[1:] for row in taken_back), key=lambda row: row[1])
    )


_ELSEWHERE = "(m.record is not null or m.run is not null) and (m.collection, m.record) is distinct from"
"""Messages to other contacts, with a record or without one; none of them is a test."""
_LEFT = f"m.direction = 'out' and m.at > %(since)s and m.status in ('sending', 'unknown', 'sent', 'delivered') and {COUNTED}"
_OTHERS = f"m.direction = 'out' and m.status in ('sending', 'unknown', 'sent', 'delivered') and {COUNTED} and m.id <> %(id)s and m.of is distinct from %(id)s"
_USED = f"""
(select '', m.channel, m.sent_at, m.workflow, m.version, false from console.message m
    where m.collection = %(collection)s and m.record = %(record)s and m.sent_at > %(since)s and {_OTHERS} order by m.sent_at desc limit 1000)
union all (select '', m.channel, m.at, m.workflow, m.version, false from console.message m
    where m.collection = %(collection)s and m.record = %(record)s and m.sent_at is null and m.at > %(since)s and {_OTHERS} limit 1000)
union all (select '', m.channel, coalesce(m.sent_at, m.at), m.workflow, m.version, %(record)s <> '' from console.message m where m.address = %(address)s::bytea
    and {_ELSEWHERE} (%(collection)s, %(record)s) and m.at > %(since)s and {_OTHERS} order by m.at desc limit 1000)
"""  # noqa: S608 (texts of ours)
_SHARED = f"""
select w.key, m.channel, coalesce(m.sent_at, m.at), m.workflow, m.version, %(collection)s <> '@' from unnest(%(owners)s::text[], %(addresses)s::bytea[]) w (key, address)
join console.message m on m.address = w.address
where {_ELSEWHERE} (%(collection)s, w.key) and m.id <> %(but)s and m.of is distinct from %(but)s and {_LEFT}
"""  # noqa: S608 (texts of ours)
_USED_BY = f"""
select m.record, m.channel, coalesce(m.sent_at, m.at), m.workflow, m.version, false from console.message m
where m.collection = %(collection)s and m.record = any(%(keys)s) and {_LEFT}
union all {_SHARED} order by 3 desc
"""  # noqa: S608 (texts of ours)


def used_before(message: Message, address: bytes | None, since: datetime) -> list[Used]:
    """What reached, or may have reached, the message's contact since then, or others who have the address that it goes to, by any workflow."""
    about = {
        "id": message.id,
        "address": address,
        "collection": message.collection or "",
        "record": message.record or "",
    }
    return [_used(row) for row in fetch(_USED, about | {"since": since})]


def used_of_each(
    collection: str, addresses: Mapping[str, Sequence[bytes]], since: datetime
) -> dict[str, list[Used]]:
    """Key → what reached, or may have reached, that contact or one of these addresses of theirs since then, by any workflow; one statement."""
    pairs = [(key, address) for key, its in addresses.items() for address in its]
    about = {
        "owners": [key for key, _ in pairs],
        "addresses": [each for _, each in pairs],
        "keys": list(addresses),
        "collection": collection,
    }
    found: dict[str, list[Used]] = {}
    for row in fetch(_USED_BY, about | {"but": "", "since": since}):
        found.setdefault(row[0], []).append(_used(row))
    return found


def _used(row: Any) -> Used:
    _, channel, at, name, number, shared = row
    return Used(channel, at, _sender_of(name, number), shared)


def _sender_of(workflow: str | None, number: int) -> str:
    """The title of the workflow that sent a message, to be named where its cap is used up."""
    definition = workflows.readable_version(workflow, number) if workflow else None
    return (
        definition.document.title
        if definition is not None
        else "another workflow"
        if workflow
        else "a single message"
    )


_TAKEN = "select provider_id from console.message where address = %s and provider_id is not null and id <> %s and at > %s"


def taken_ids(message: Message, address: bytes, since: datetime) -> frozenset[str]:
    """The provider's ids of our other messages to this address, which a look-up must not take for this one."""
    return frozenset(row[0] for row in fetch(_TAKEN, (address, message.id, since)))


_ANOTHERS = (
    "select from console.message where provider = %s and provider_id = %s and direction = 'out' and id <> %s"
)


def own_id(message: Message, provider_id: str) -> str | None:
    """The provider's id of the message; None where it gave that to another message of ours: then only our own id tells them apart."""
    if provider_id and fetch(_ANOTHERS, (message.provider, provider_id, message.id)):
        _log.warning("message %s: %s answered with the id of another message", message.id, message.provider)
        return None
    return provider_id or None
