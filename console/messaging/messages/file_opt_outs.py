"""Consent that a file of contacts takes back: of the contacts that it names, and of whoever has the addresses that it tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import browse, log, records
from console.auth import access
from console.core.actor import Actor
from console.core.contacting import Consent, Contact, latest_of
from console.formats.times import moment_of
from console.messaging.messages import opting_out, recipients

FILE = "file"
_ADD = sa.text(
    "insert into console.opt_out (collection, record, channel, at, source) select :collection, a.record, a.channel, :at, :source"
    " from unnest(cast(:records as text[]), cast(:channels as text[])) as a (record, channel)"
)
_BAR = sa.text(
    "insert into console.opt_out (collection, record, channel, at, source, written_at) select :collection, a.record, a.channel, coalesce(a.said_at, :at), :source, :at"
    " from unnest(cast(:records as text[]), cast(:channels as text[]), cast(:anew as bool[]), cast(:said_at as timestamptz[])) as a (record, channel, anew, said_at)"
    " where a.anew or not exists (select from console.opt_out o where o.collection = :collection and o.record = a.record and o.channel = a.channel"
    " and coalesce(o.at >= a.said_at, true))"
)


@dataclass(frozen=True, slots=True)
class OptOut:
    """Channels of which a line of a file says that somebody wants no more → by when they said so (None: nobody knows): the contacts that it means, and what it `said` of their addresses (None: they are not barred). `new`: the line has just added them, so that nothing stood before."""

    channels: Mapping[str, datetime | None]
    contacts: Sequence[str]
    said: Contact | None
    new: bool = False


@dataclass(frozen=True, slots=True)
class Withdrawals:
    """What is to be taken back: key → channels. `agreed` are how many of these contacts had agreed to one of them, `again` how many agreed to one again after that, which stays.

    `bars` are (digest of an address, channel) → whether it is barred anew, though it was barred before, and from when (None: from now).
    """

    collection: str
    channels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    agreed: int = 0
    again: int = 0
    bars: Mapping[tuple[str, str], tuple[bool, datetime | None]] = field(default_factory=dict)


def is_reachable(said: Contact | None) -> bool:
    """Whether these are addresses that can be barred."""
    return said is not None and bool(recipients.addresses_by_channel(said))


def withdrawals(collection: str, opt_outs: Sequence[OptOut]) -> Withdrawals:
    """What these take back now: nothing of a channel that is taken back already. Raises SourceDown."""
    keys = list(dict.fromkeys(key for each in opt_outs for key in each.contacts))
    known = recipients.contacts_at(collection, keys) if keys else {}
    channels: dict[str, dict[str, None]] = {}
    bars: dict[tuple[str, str], tuple[bool, datetime | None]] = {}
    agreed: set[str] = set()
    again: set[str] = set()
    for each in opt_outs:
        wanted = [channel for channel in opting_out.OUTWARD if channel in each.channels]
        anew = set()
        for contact in (known[key] for key in each.contacts if key in known):
            standing = {channel: contact.consent.get(channel) for channel in wanted}
            newer = [
                channel
                for channel, said in standing.items()
                if said is not None and _is_newer(said, each.channels[channel])
            ]
            again.update([contact.key] if newer and not each.new else [])
            standing = {channel: said for channel, said in standing.items() if channel not in newer}
            fresh = [channel for channel, said in standing.items() if said is None or not said.withdrawn_at]
            if fresh:
                channels.setdefault(contact.key, {}).update(dict.fromkeys(fresh))
            if any(
                (said is not None and said.given) or (said is None and not contact.keeps_consent)
                for said in standing.values()
            ):
                agreed.update([] if each.new else [contact.key])
                anew.update(fresh)
        for told in (
            (each.said, *(known[key] for key in each.contacts if key in known))
            if each.said is not None
            else ()
        ):
            for channel, address in recipients.every_address(told) if told is not None else ():
                if channel in wanted:
                    was_anew, at = bars.get((address, channel), (False, each.channels[channel]))
                    bars[address, channel] = (
                        was_anew or channel in anew,
                        latest_of((at, each.channels[channel])),
                    )
    return Withdrawals(
        collection, {key: list(found) for key, found in channels.items()}, len(agreed), len(again), bars
    )


def _is_newer(consent: Consent, withdrawn_by: datetime | None) -> bool:
    """Whether it was given after it was taken back, as far as that is known."""
    given_at = moment_of(consent.at) if consent.given and consent.at else None
    return given_at is not None and withdrawn_by is not None and given_at > withdrawn_by


def note(actor: Actor, found: Withdrawals, source: str, batch: str, connection: Connection) -> None:
    """Take it back with the transaction of `connection`, as the last thing done there. What waits for these contacts is judged again now; `source` names the file."""
    now = log.now()
    pairs = [(key, channel) for key, channels in found.channels.items() for channel in channels]
    if found.bars:
        bars = {
            "records": [address for address, _ in found.bars],
            "channels": [channel for _, channel in found.bars],
            "anew": [anew for anew, _ in found.bars.values()],
            "said_at": [at for _, at in found.bars.values()],
        }
        connection.execute(_BAR, {"collection": opting_out.ADDRESS, "at": now, "source": source, **bars})
    if not pairs:
        return
    told = {"records": [key for key, _ in pairs], "channels": [channel for _, channel in pairs]}
    connection.execute(_ADD, {"collection": found.collection, "at": now, "source": source, **told})
    opting_out.wake(found.collection, found.channels, now, connection)
    collection = records.collection(found.collection)
    about = browse.about_records(collection.id, found.channels)
    notes = [
        log.Noted(
            {"channels": channels, "source": f"{FILE} {batch}", "message_id": None},
            collection.id,
            source=collection.source,
            **about[key],
        )
        for key, channels in found.channels.items()
    ]
    label, team = access.label_of(f"collection:{collection.id}"), actor.teams[0] if actor.teams else None
    log.note_each(
        actor, "consent_withdrawn", notes, chain=batch, team=team, label=label, connection=connection
    )
