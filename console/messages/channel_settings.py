"""What is set for each channel: whether its sandbox is on, and what the sandbox answers; and how it fares."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from console import access, log, settings
from console.channels import providers, sandbox
from console.core import channel_prices
from console.core.actor import Actor
from console.core.channel_prices import ChannelPrice
from console.core.contacting import KINDS
from console.core.seen_before import require_unchanged
from console.db.engine import fetch, transaction
from console.errors import Invalid, NotFound
from console.integrations import kept_channels

SANDBOXED = {"email": "e-mails", "sms": "SMS", "call": "calls", "chat": "chat messages"}
SCRIPT_MOST = 10_000
_SAVE = sa.text(
    "insert into console.channel (kind, sandbox, script, price, changed_by, changed_at) values (:kind, :sandbox, :script, cast(:price as jsonb), :by, :at) "
    "on conflict (kind) do update set sandbox = :sandbox, script = :script, price = cast(:price as jsonb), changed_by = :by, changed_at = :at"
)
_KEPT = sa.text("select sandbox, script, price from console.channel where kind = :kind for update")

_FIGURES = """
select count(*) filter (where sent_at > %(since)s), count(*) filter (where status in ('failed', 'unknown') and at > %(since)s),
count(*) filter (where status in ('waiting', 'sending')), max(sent_at)
from console.message where channel = %(kind)s and direction = 'out' and (at > %(since)s or due_at is not null)
"""


@dataclass(frozen=True, slots=True)
class ChannelState:
    """A channel as its page shows it. `why` says why the sandbox is on: setting, provider or channel; "" where messages really leave."""

    kind: str
    provider: str
    missing: tuple[str, ...]
    sandbox: bool
    why: str
    own_sandbox: bool
    script: str
    price: ChannelPrice | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """Messages of the last 24 hours; `waiting` are those to leave, however old. `last_at` is when the newest left."""

    left: int
    failed: int
    waiting: int
    last_at: datetime | None


def state_of(kind: str) -> ChannelState:
    """The channel as it stands. Raises NotFound."""
    if kind not in KINDS:
        raise NotFound
    provider = providers.provider_of(kind)
    kept = kept_channels.kept_for(kind)
    missing = provider.missing()
    why = "setting" if settings.current().sandbox else "provider" if missing else "channel" if kept.sandbox else ""
    return ChannelState(kind, provider.name, missing, bool(why), why, kept.sandbox, kept.script, kept.price)


def price_of(kind: str) -> ChannelPrice | None:
    """What messages of this kind cost; None where nobody has said."""
    return kept_channels.kept_for(kind).price


def changed_since(moment: datetime) -> bool:
    """Whether somebody has saved a channel after this moment, its price perhaps."""
    return bool(fetch("select 1 from console.channel where changed_at > %s limit 1", (moment,)))


def in_sandbox(kind: str) -> bool:
    """Whether messages of this kind go into the outbox alone."""
    return state_of(kind).sandbox


def script_of(kind: str) -> str:
    """What the sandbox answers."""
    return state_of(kind).script


def in_the_sandbox() -> list[str]:
    """The channels whose messages are not really sent, in words."""
    everything = settings.current().sandbox
    return [SANDBOXED[kind] for kind in KINDS if everything or in_sandbox(kind)]


def save(
    actor: Actor, kind: str, *, sandbox_on: bool, script: str, price: Mapping[str, str] | None = None, seen: str | None = None
) -> None:
    """Set the channel's own sandbox, its rules and its price: boxes as `channel_prices.typed` reads them, None: as it was.

    `seen` is the `mark` of what the form showed. Raises NotAllowed, NotFound, Invalid on `script` or a box of the price, Conflict where it changed since.
    """
    access.require(actor, None, "source", "manage")
    state_of(kind)
    if len(script) > SCRIPT_MOST or "\x00" in script:
        raise Invalid("This is too long.", details=[{"field": "script", "reason": f"At most {SCRIPT_MOST} characters."}])
    sandbox.rules_of(kind, script)
    cost, wrong = channel_prices.typed(price) if price is not None else (price_of(kind), [])
    if wrong:
        raise Invalid("The price cannot be used.", details=wrong)
    with transaction() as connection:
        row: dict[str, Any] = {"kind": kind, "sandbox": sandbox_on, "script": script.strip(), "by": actor.id, "at": log.now()}
        row["price"] = orjson.dumps(cost.to_json()).decode() if cost is not None else None
        kept = connection.execute(_KEPT, {"kind": kind}).first()
        now = terms(kept.sandbox, kept.script, ChannelPrice.of_json(kept.price)) if kept is not None else terms(False, "", None)
        require_unchanged(seen, now, terms(sandbox_on, row["script"], cost))
        connection.execute(_SAVE, row)
        log.note(actor, "channel_changed", open={"channel": kind, "sandbox": sandbox_on}, chain="sys:config", connection=connection)
    kept_channels.forget()


def terms(sandbox_on: bool, script: str, price: ChannelPrice | None) -> dict[str, Any]:
    """What is set for a channel, of which a form sends the `mark`."""
    return {"sandbox": sandbox_on, "script": script, "price": price.to_json() if price is not None else None}


def figures_of(kind: str) -> Figures:
    """The figures of a channel."""
    return Figures(*fetch(_FIGURES, {"kind": kind, "since": log.now() - timedelta(days=1)})[0])
