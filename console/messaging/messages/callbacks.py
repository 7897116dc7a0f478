"""What providers send us: receipts, ends of calls, answers of people. Only what the provider knows as its own is taken.

Twice the same changes nothing; what comes before the provider's own answer counts; what names another message is refused.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

from console import log
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, Malformed, NotFound
from console.infra.db.engine import fetch
from console.messaging import providers
from console.messaging.channels import sandbox
from console.messaging.channels.base import Answer, Callback, Complaint, Handed, Provider, Receipt
from console.messaging.messages import inbound, message_rows, outside_addresses, sending
from console.messaging.messages.message_rows import PENDING

LEAVES = timedelta(minutes=2)
"""A request for a message has been answered by then, or never is."""
NO_PROOF = ("", "failed", "opted_out")
"""Outcomes of what its provider may never have taken: where it waits for another try, that try is made."""
_LEAVING = "select from console.message where provider = %s and channel = %s and direction = 'out' and status = 'sending' and at > %s limit 1"
_log = logging.getLogger(__name__)


def provider_at(kind: str, name: str, token: str) -> Provider:
    """The provider whose address this is. Raises NotFound where it is none that was given out."""
    provider = providers.provider_by_name(kind, name)
    if provider is None or not provider.calls_back:
        raise NotFound
    outside_addresses.require_callback(kind, name, token)
    return provider


def take(provider: Provider, callback: Callback) -> None:
    """Take what came to the provider's address. Raises BadSignature, Invalid, NotFound for no message of ours, Conflict where it names another one."""
    told = provider.told(callback)
    if isinstance(told, Sequence):
        _take_all(provider, told)
    else:
        take_in(provider.kind, provider.name, told)


def _take_all(provider: Provider, told: Sequence[Receipt | Answer]) -> None:
    """Take each. One about no message of ours, or of another id, is passed over: a provider would send all of them again and again.

    Raises Conflict, so that it tells later once more, where it may be about a message whose id is not recorded yet.
    """
    early = False
    for each in told:
        try:
            take_in(provider.kind, provider.name, each)
        except (NotFound, Conflict):
            _log.info("%s told of a message that is not known", provider.name)
            early = early or (isinstance(each, Receipt) and bool(each.handed.outcome) and not each.message_id)
    if early and fetch(_LEAVING, (provider.name, provider.kind, log.now() - LEAVES)):
        raise Conflict(
            "A message is just leaving, whose id is not recorded yet: tell again in a minute.",
            code="too_early",
        )


def take_in(kind: str, provider: str, receipt: Receipt | Answer | Complaint | None) -> None:
    """Keep an answer, a complaint, or what became of a message. Raises NotFound, Conflict."""
    if isinstance(receipt, Complaint):
        inbound.complain(kind, receipt.message_id, receipt.address)
    elif isinstance(receipt, Answer):
        inbound.receive(
            kind,
            provider,
            sender=receipt.sender,
            text=receipt.text,
            provider_id=receipt.provider_id,
            stops=receipt.stops,
        )
    elif receipt is not None:
        message, handed = _of_receipt(kind, provider, receipt), receipt.handed
        if message is None:
            if receipt.certain:
                raise NotFound("There is no such message.")
            return
        if message.provider_id and handed.provider_id and message.provider_id != handed.provider_id:
            raise Conflict("This names another message of the provider.", code="another_id")
        if message.status in PENDING:
            sending.record_sent(message, Handed(handed.provider_id))
        if handed.outcome:
            sending.record_outcome(message.id, handed)


def _of_receipt(kind: str, provider: str, receipt: Receipt) -> message_rows.Message | None:
    """The message that left, by our id where it is told, else by the provider's. Who is certain can only speak of what it carried."""
    ours, theirs = (text.replace("\x00", "") for text in (receipt.message_id, receipt.handed.provider_id))
    where = ("id = %s", (ours,)) if ours else ("provider = %s and provider_id = %s", (provider, theirs))
    for row in message_rows.read(*where):
        left = row.status != "waiting" or (row.tries > 0 and receipt.handed.outcome not in NO_PROOF)
        ours_by = row.provider == provider or not receipt.certain
        if left and ours_by and row.channel == kind and row.direction == "out" and not row.sandbox:
            return row
    return None


def chosen_by_hand(actor: Actor, message: message_rows.Message, form: Mapping[str, str]) -> bool:
    """What `actor` chose in the sandbox for a message that is on its way; False where it has ended already. Raises Malformed."""
    outcome, _, label = form.get("outcome", "").partition("/")
    if outcome not in sandbox.CHOSEN[message.channel]:
        raise Malformed("This is no way in which such a message ends.")
    handed = Handed(message.provider_id or "", outcome, label, transcript=form.get("transcript", ""))
    return sending.record_outcome(message.id, handed, by=actor)


def answered_by_hand(actor: Actor, message: message_rows.Message, text: str) -> message_rows.Message | None:
    """What `actor` wrote in the sandbox as the one whom a message reached would answer; None where nobody can answer it. Raises Invalid without a text."""
    to = str(message.result.get("to", ""))
    if not can_answer(message) or not to:
        return None
    if not text.strip():
        raise Invalid("Write what they answer.", at=("text", "Write what they answer, such as STOP."))
    return inbound.receive(message.channel, "sandbox", sender=to, text=text.strip(), provider_id="", by=actor)


def can_answer(message: message_rows.Message) -> bool:
    """Whether the sandbox lets a person answer it: an SMS or e-mail to somebody outside that left, and did not really."""
    left = message.sandbox and message.direction == "out" and message.status in ("sent", "delivered")
    return left and message.channel in ("sms", "email") and message.record is not None
