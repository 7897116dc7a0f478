"""The SMS gateway as an administrator sets it up: saved, tried on oneself, and examples of what it says read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import orjson
import sqlalchemy as sa

from console import access, log, settings
from console.channels.base import Answer, Callback, Receipt
from console.channels.providers import gateway_sms
from console.core import gateways
from console.core.actor import Actor
from console.core.gateways import MASK, Gateway
from console.core.seen_before import require_unchanged
from console.db.engine import transaction
from console.db.ids import new_id
from console.errors import ConsoleError, IntegrationError, Invalid, OutcomeUnknown
from console.integrations import kept_channels, net, outgoing_secrets
from console.messages import outside_addresses
from console.messages.messages_to_oneself import TEXT
from console.messages.recipients import address_of

_SAVE = sa.text(
    "insert into console.channel (kind, sandbox, script, gateway, changed_by, changed_at) values ('sms', false, '', cast(:gateway as jsonb), :by, :at) "
    "on conflict (kind) do update set gateway = cast(:gateway as jsonb), changed_by = :by, changed_at = :at"
)
_KEPT = sa.text("select gateway from console.channel where kind = 'sms' for update")
MOST_SHOWN = 2_000
MEANINGS = {
    "accepted": "Accepted: the message counts as sent.",
    "refused": "Refused for good: the message has failed and is not tried again.",
    "again": "Not taken for now: it is tried again later.",
    "unclear": "Unclear: nobody knows whether it left. It is looked up where that is set up; else somebody is asked once. It is not sent again.",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """A try-out: the request with its secret masked, what was answered, and what that was understood as; `sent`: whether the request left at all."""

    request: str
    sent: bool
    meaning: str
    answer: str = ""
    why: str = ""
    message_id: str = ""


def current(actor: Actor) -> Gateway | None:
    """The gateway as it is described; None where nobody has. Raises NotAllowed."""
    access.require(actor, None, "source", "manage")
    return kept_channels.kept_for("sms").gateway


def save(actor: Actor, form: Mapping[str, str], *, seen: str | None = None) -> None:
    """Keep what was typed. `seen` is the `mark` of the gateway that the form showed. Raises NotAllowed, Invalid with a detail for each field, Conflict."""
    access.require(actor, None, "source", "manage")
    gateway, wrong = gateways.typed(form)
    named = {str(detail["field"]) for detail in wrong}
    if "url" not in named:
        wrong += _forbidden(gateway, named)
    if wrong:
        raise Invalid("Nothing was saved.", details=wrong)
    with transaction() as connection:
        kept = gateways.of_json(connection.execute(_KEPT).scalar())
        require_unchanged(seen, kept.to_json() if kept is not None else None, gateway.to_json())
        connection.execute(_SAVE, {"gateway": orjson.dumps(gateway.to_json()).decode(), "by": actor.id, "at": log.now()})
        told = {"channel": "sms", "sandbox": kept_channels.kept_for("sms").sandbox, "gateway": gateway.base, "on": bool(gateway.on)}
        log.note(actor, "channel_changed", open=told, chain="sys:config", connection=connection)
    kept_channels.forget()


def _forbidden(gateway: Gateway, named: set[str]) -> list[dict[str, str]]:
    """What may not be asked as things stand: an inside address, a secret that is not for this host."""
    wrong = []
    try:
        net.judge(f"{gateway.base}/")
    except IntegrationError as error:
        wrong.append({"field": "url", "reason": error.message})
    for field, name in (("secret", gateway.secret), ("check_secret", gateway.check_secret)):
        try:
            if name and field not in named:
                outgoing_secrets.for_address(name, gateway.base)
        except IntegrationError as error:
            wrong.append({"field": field, "reason": error.message})
    return wrong


def shown(actor: Actor, to: str) -> Trial:
    """The request that would send the test message to this number; nothing leaves. Raises NotAllowed, Invalid on `to`."""
    gateway, address = _ready(actor, to)
    return Trial(_request(gateway, address, new_id("msg")), sent=False, meaning="Nothing was sent.")


def tried(actor: Actor, to: str) -> Trial:
    """Send a test message to this number at once, beside the outbox, whether or not SMS leave through the gateway yet.

    Where CONSOLE_SANDBOX is on, nothing leaves and only the request is told. Raises NotAllowed, Invalid on `to`.
    """
    gateway, address = _ready(actor, to)
    our_id = new_id("msg")
    request = _request(gateway, address, our_id)
    if settings.current().sandbox:
        return Trial(request, sent=False, meaning="Nothing was sent: CONSOLE_SANDBOX is on.")
    log.note(actor, "message_tested", open={"channel": "sms", "provider": gateway_sms.GatewaySms.name, "sandbox": False})
    try:
        secret = gateway_sms.secret_of(gateway)
        callback = outside_addresses.callback_url("sms", gateway_sms.GatewaySms.name, our_id)
        answer = gateway_sms.exchange(gateways.request_of(gateway, address, TEXT, our_id, secret=secret, callback=callback))
    except IntegrationError as error:
        return Trial(request, sent=False, meaning=f"Nothing was sent. {error.message}")
    except OutcomeUnknown as error:
        return Trial(request, sent=True, meaning=MEANINGS[gateways.UNCLEAR], why=error.message)
    body = gateway_sms.masked(answer.body, secret)
    understood = gateways.understood(gateway, answer.status, body, whole=answer.whole)
    told = f"{answer.status}\n\n{body[:MOST_SHOWN].decode('utf-8', 'replace')}{'…' if len(body) > MOST_SHOWN else ''}".strip()
    return Trial(
        request, sent=True, meaning=MEANINGS[understood.meaning], answer=told, why=understood.why, message_id=understood.message_id
    )


def _ready(actor: Actor, to: str) -> tuple[Gateway, str]:
    """(the gateway, the number in its plainest form)."""
    gateway = current(actor)
    if gateway is None:
        raise Invalid("Save the gateway first.", details=[{"field": "to", "reason": "Save the gateway first."}])
    address, why = address_of("sms", to, None)
    if why:
        raise Invalid(why, details=[{"field": "to", "reason": why}])
    return gateway, address


def _request(gateway: Gateway, to: str, our_id: str) -> str:
    callback = outside_addresses.callback_url("sms", gateway_sms.GatewaySms.name, our_id)
    return str(gateways.request_of(gateway, to, TEXT, our_id, secret=MASK, callback=callback))


def answer_read(actor: Actor, status: str, body: str) -> Trial:
    """What an answer would be understood as. Raises NotAllowed, Invalid on `status`."""
    gateway = current(actor) or Gateway()
    if not (status.isdecimal() and status.isascii() and len(status) == 3):
        raise Invalid("Write the status.", details=[{"field": "status", "reason": "Three digits, such as 200."}])
    understood = gateways.understood(gateway, int(status), body.encode())
    return Trial("", sent=False, meaning=MEANINGS[understood.meaning], why=understood.why, message_id=understood.message_id)


def callback_read(actor: Actor, text: str) -> list[str]:
    """What a callback says, in words: its body, or what stands behind the ? of its address. Its check is left out. Raises NotAllowed, Invalid on `callback`."""
    gateway = replace(current(actor) or Gateway(), check="none")
    body, query = ("", text.strip().lstrip("?")) if text.strip()[:1] not in ("{", "[", "<") else (text, "")
    try:
        told = gateway_sms.read(gateway, Callback(f"?{query}", {}, body.encode()), "")
    except ConsoleError as error:
        raise Invalid(error.message, details=[{"field": "callback", "reason": error.message}]) from None
    return [_in_words(each) for each in told] or [
        "It says nothing that is understood: no status of a message that it names, and no text of a sender."
    ]


def _in_words(told: Receipt | Answer) -> str:
    if isinstance(told, Answer):
        return f"A message from {told.sender}: {told.text[:200]}"
    whose = f"our message {told.message_id}" if told.message_id else f"the message that it calls {told.handed.provider_id}"
    became = {"delivered": "arrived", "failed": "did not arrive"}.get(told.handed.outcome, "is on its way")
    return f"A receipt: {whose} {became}. {told.handed.reason}".strip()
