"""Consent that a file of contacts takes back: of the contacts that it names, and of whoever has the addresses that it tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import access, log, records
from console.core.actor import Actor
from console.core.contacting import Contact
from console.messages import opting_out, recipients

FILE = "file"
_ADD = sa.text(
    "insert into console.opt_out (collection, record, channel, at, source) select :collection, a.record, a.channel, :at, :source"
    " from unnest(cast(:records as text[]), cast(:channels as text[])) as a (record, channel)"
)
_BAR = sa.text(
    "insert into console.opt_out (collection, record, channel, at, source, written_at) select :collection, a.record, a.channel, :at, :source, :at"
    " from unnest(cast(:records as text[]), cast(:channels as text[]), cast(:anew as bool[])) as a (record, channel, anew)"
    " where a.anew or not exists (select from console.opt_out o where o.collection = :collection and o.record = a.record and o.channel = a.channel)"
)


@dataclass(frozen=True, slots=True)
class OptOut:
    """Channels of which a line of a file says that somebody wants no more: the contacts that it means, and what it `said` of their addresses (None: they are not barred)."""

    channels: frozenset[str]
    contacts: Sequence[str]
    said: Contact | None


@dataclass(frozen=True, slots=True)
class Withdrawals:
    """What is to be taken back: key → channels. `agreed` are how many of these contacts had agreed to one of them.

    `bars` are (digest of an address, channel) → whether it is barred anew, though it was barred before.
    """

    collection: str
    channels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    agreed: int = 0
    bars: Mapping[tuple[str, str], bool] = field(default_factory=dict)


def is_reachable(said: Contact | None) -> bool:
    """Whether these are addresses that can be barred."""
    return said is not None and bool(recipients.addresses_by_channel(said))


def withdrawals(collection: str, opt_outs: Sequence[OptOut]) -> Withdrawals:
    """What these take back now: nothing of a channel that is taken back already. Raises SourceDown."""
    keys = list(dict.fromkeys(key for each in opt_outs for key in each.contacts))
    known = recipients.contacts_at(collection, keys) if keys else {}
    channels: dict[str, dict[str, None]] = {}
    bars: dict[tuple[str, str], bool] = {}
    agreed: set[str] = set()
    for each in opt_outs:
        wanted = [channel for channel in opting_out.OUTWARD if channel in each.channels]
        anew = set()
        for contact in (known[key] for key in each.contacts if key in known):
            standing = {channel: contact.consent.get(channel) for channel in wanted}
            fresh = [channel for channel, said in standing.items() if said is None or not said.withdrawn_at]
            if fresh:
                channels.setdefault(contact.key, {}).update(dict.fromkeys(fresh))
            if any((said is not None and said.given) or (said is None and not contact.keeps_consent) for said in standing.values()):
                agreed.add(contact.key)
                anew.update(fresh)
        for told in (each.said, *(known[key] for key in each.contacts if key in known)) if each.said is not None else ():
            for channel, address in recipients.addresses_by_channel(told).items() if told is not None else ():
                if channel in wanted:
                    bars[address, channel] = bars.get((address, channel), False) or channel in anew
    return Withdrawals(collection, {key: list(found) for key, found in channels.items()}, len(agreed), bars)


def note(actor: Actor, found: Withdrawals, source: str, batch: str, connection: Connection) -> None:
    """Take it back with the transaction of `connection`, as the last thing done there. What waits for these contacts is judged again now; `source` names the file."""
    now = log.now()
    pairs = [(key, channel) for key, channels in found.channels.items() for channel in channels]
    if found.bars:
        bars = {
            "records": [address for address, _ in found.bars],
            "channels": [channel for _, channel in found.bars],
            "anew": [*found.bars.values()],
        }
        connection.execute(_BAR, {"collection": opting_out.ADDRESS, "at": now, "source": source, **bars})
    if not pairs:
        return
    told = {"records": [key for key, _ in pairs], "channels": [channel for _, channel in pairs]}
    connection.execute(_ADD, {"collection": found.collection, "at": now, "source": source, **told})
    opting_out.wake(found.collection, found.channels, now, connection)
    collection = records.collection(found.collection)
    notes = [
        log.Noted({"channels": channels, "source": f"{FILE} {batch}", "message_id": None}, collection.id, records.log_reference(collection, key), collection.source)
        for key, channels in found.channels.items()
    ]  # fmt: skip
    label, team = access.label_of(f"collection:{collection.id}"), actor.teams[0] if actor.teams else None
    log.note_each(actor, "consent_withdrawn", notes, chain=batch, team=team, label=label, connection=connection)
