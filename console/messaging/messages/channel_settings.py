"""What is set for each channel: whether its sandbox is on, and what the sandbox answers; and how it fares."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from console import log
from console.auth import access
from console.core import sms_gateway
from console.core.actor import Actor
from console.core.contacting import KINDS
from console.core.documents.document_parts import as_file
from console.core.errors import IntegrationError, Invalid, NotFound
from console.core.seen_before import require_unchanged
from console.core.sms_gateway import SmsGateway
from console.infra import settings
from console.infra.db.engine import fetch, transaction
from console.infra.outbound import kept_channels, net, outgoing_secrets
from console.messaging import providers
from console.messaging.channels import sandbox

SANDBOXED = {"email": "e-mails", "sms": "SMS", "call": "calls", "chat": "chat messages"}
SCRIPT_MOST = 10_000
_SAVE = sa.text(
    "insert into console.channel (kind, sandbox, script, changed_by, changed_at) values (:kind, :sandbox, :script, :by, :at) "
    "on conflict (kind) do update set sandbox = :sandbox, script = :script, changed_by = :by, changed_at = :at"
)
_SAVE_GATEWAY = sa.text(
    "insert into console.channel (kind, sandbox, script, gateway, changed_by, changed_at) values ('sms', false, '', cast(:gateway as jsonb), :by, :at) "
    "on conflict (kind) do update set gateway = cast(:gateway as jsonb), changed_by = :by, changed_at = :at"
)
_GATEWAY = sa.text("select gateway from console.channel where kind = 'sms' for update")
_KEPT = sa.text("select sandbox, script from console.channel where kind = :kind for update")

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
    why = (
        "setting"
        if settings.current().sandbox
        else "provider"
        if missing
        else "channel"
        if kept.sandbox
        else ""
    )
    return ChannelState(kind, provider.name, missing, bool(why), why, kept.sandbox, kept.script)


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


def save(actor: Actor, kind: str, *, sandbox_on: bool, script: str, seen: str | None = None) -> None:
    """Set the channel's own sandbox and its rules.

    `seen` is the `mark` of what the form showed. Raises NotAllowed, NotFound, Invalid on `script`, Conflict where it changed since.
    """
    access.require(actor, None, "source", "manage")
    state_of(kind)
    if len(script) > SCRIPT_MOST or "\x00" in script:
        raise Invalid("This is too long.", at=("script", f"At most {SCRIPT_MOST} characters."))
    sandbox.rules_of(kind, script)
    with transaction() as connection:
        row: dict[str, Any] = {
            "kind": kind,
            "sandbox": sandbox_on,
            "script": script.strip(),
            "by": actor.id,
            "at": log.now(),
        }
        kept = connection.execute(_KEPT, {"kind": kind}).first()
        now = terms(kept.sandbox, kept.script) if kept is not None else terms(False, "")
        require_unchanged(seen, now, terms(sandbox_on, row["script"]))
        connection.execute(_SAVE, row)
        log.note(
            actor,
            "channel_changed",
            open={"channel": kind, "sandbox": sandbox_on},
            chain="sys:config",
            connection=connection,
        )
    kept_channels.forget()


def save_gateway(actor: Actor, text: str, *, seen: str | None = None) -> None:
    """Set the document by which SMS leave, none for an empty text. `seen` is the `mark` of the text that the form showed.

    Raises NotAllowed, Invalid on `gateway`, Conflict where it changed since.
    """
    access.require(actor, None, "source", "manage")
    gateway, wrong = sms_gateway.checked(text) if text.strip() else (None, [])
    if gateway is not None:
        wrong = _forbidden(gateway)
    if wrong:
        raise Invalid(" ".join(wrong), at="gateway")
    with transaction() as connection:
        kept = gateway_text(sms_gateway.read(connection.execute(_GATEWAY).scalar()))
        require_unchanged(seen, kept, gateway_text(gateway))
        stored = orjson.dumps(gateway.to_json()).decode() if gateway is not None else None
        connection.execute(_SAVE_GATEWAY, {"gateway": stored, "by": actor.id, "at": log.now()})
        data = {"channel": "sms", "sandbox": kept_channels.kept_for("sms").sandbox, "on": gateway is not None}
        data |= {"gateway": gateway.origin} if gateway is not None else {}
        log.note(actor, "channel_changed", open=data, chain="sys:config", connection=connection)
    kept_channels.forget()


def gateway_text(gateway: SmsGateway | None) -> str:
    """The document as people edit it, empty where there is none."""
    return as_file(gateway.to_json()).decode() if gateway is not None else ""


def _forbidden(gateway: SmsGateway) -> list[str]:
    """What may not be asked as things stand: an inside address, a secret that is not for this host."""
    wrong = []
    try:
        net.judge(f"{gateway.origin}/")
        for name in gateway.secrets:
            outgoing_secrets.for_address(name, gateway.origin)
    except IntegrationError as error:
        wrong.append(error.message)
    return wrong


def terms(sandbox_on: bool, script: str) -> dict[str, Any]:
    """What is set for a channel, of which a form sends the `mark`."""
    return {"sandbox": sandbox_on, "script": script}


def figures_of(kind: str) -> Figures:
    """The figures of a channel."""
    return Figures(*fetch(_FIGURES, {"kind": kind, "since": log.now() - timedelta(days=1)})[0])
