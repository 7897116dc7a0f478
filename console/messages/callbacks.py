"""What providers send us: receipts, ends of calls, answers of people. Only what the provider knows as its own is taken.

Twice the same changes nothing; what comes before the provider's own answer counts; what names another message is refused.
"""

from collections.abc import Mapping

from console.channels import providers, sandbox
from console.channels.base import Answer, Callback, Complaint, Handed, Provider, Receipt
from console.core.actor import Actor
from console.errors import Conflict, Invalid, Malformed, NotFound
from console.messages import inbound, message_rows, opening, outside_addresses, sending


def provider_at(kind: str, name: str, token: str) -> Provider:
    """The provider whose address this is. Raises NotFound where it is none that was given out."""
    provider = providers.named(kind, name)
    if provider is None or not provider.calls_back:
        raise NotFound
    outside_addresses.require_callback(kind, name, token)
    return provider


def take(provider: Provider, callback: Callback) -> None:
    """Take what came to the provider's address. Raises BadSignature, Invalid, NotFound for no message of ours, Conflict where it names another one."""
    take_in(provider.kind, provider.name, provider.told(callback))


def take_in(kind: str, provider: str, receipt: Receipt | Answer | Complaint | None) -> None:
    """Keep an answer, a complaint, or what became of a message. Raises NotFound, Conflict."""
    if isinstance(receipt, Complaint):
        inbound.complain(kind, receipt.message_id, receipt.address)
    elif isinstance(receipt, Answer):
        inbound.receive(kind, provider, sender=receipt.sender, text=receipt.text, provider_id=receipt.provider_id, stops=receipt.stops)
    elif receipt is not None:
        message, handed = _of_receipt(kind, provider, receipt), receipt.handed
        if message is None:
            if receipt.certain:
                raise NotFound("There is no such message.")
            return
        if message.provider_id and handed.provider_id and message.provider_id != handed.provider_id:
            raise Conflict("This names another message of the provider.", code="another_id")
        if message.status in ("sending", "unknown"):
            sending.record_sent(message, Handed(handed.provider_id))
        if handed.outcome:
            sending.record_outcome(message.id, handed)


def _of_receipt(kind: str, provider: str, receipt: Receipt) -> message_rows.Message | None:
    """The message that left, by our id where it is told, else by the provider's. Who is certain can only speak of what it carried."""
    ours, theirs = (text.replace("\x00", "") for text in (receipt.message_id, receipt.handed.provider_id))
    where = ("id = %s", (ours,)) if ours else ("provider = %s and provider_id = %s", (provider, theirs))
    for row in message_rows.read(*where):
        left = row.channel == kind and row.direction == "out" and not row.sandbox and row.status != "waiting"
        if left and (row.provider == provider or not receipt.certain):
            return row
    return None


def chosen_by_hand(actor: Actor, message: message_rows.Message, form: Mapping[str, str]) -> bool:
    """What `actor` chose in the sandbox for a message that is on its way; False where it has ended already. Raises Malformed."""
    outcome, _, label = form.get("outcome", "").partition("/")
    if outcome == opening.OPENED:
        return opening.note(message, by=actor)
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
        raise Invalid("Write what they answer.", details=[{"field": "text", "reason": "Write what they answer, such as STOP."}])
    return inbound.receive(message.channel, "sandbox", sender=to, text=text.strip(), provider_id="", by=actor)


def can_answer(message: message_rows.Message) -> bool:
    """Whether the sandbox lets a person answer it: an SMS or e-mail to somebody outside that left, and did not really."""
    left = message.sandbox and message.direction == "out" and message.status in ("sent", "delivered")
    return left and message.channel in ("sms", "email") and message.record is not None
