"""What providers send us: receipts, ends of calls, answers of people. Only what carries the provider's signature is taken.

Twice the same changes nothing; what comes before the provider's own answer counts; what names another call is refused.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from console import settings
from console.channels import addresses, inbound, mail_reports, message_rows, sending
from console.channels.base import Handed
from console.channels.providers.http_call import handed
from console.channels.providers.twilio_sms import OUTCOMES as RECEIPTS
from console.errors import Conflict, ConsoleError, Invalid, NotFound

MOST_BYTES = 512 * 1024
MOST_MAIL_BYTES = 1536 * 1024


class BadSignature(ConsoleError):
    """The signature is not the provider's."""

    status = 401
    default_code = "bad_signature"


def from_twilio(token: str, url: str, form: Mapping[str, str], signature: str) -> None:
    """A receipt, or an SMS that came in. `url` is the address that Twilio was given. Raises BadSignature, NotFound."""
    addresses.require_callback("sms", "twilio", token)
    _require_twilio(url, form, signature)
    status = form.get("MessageStatus") or form.get("SmsStatus") or ""
    sid = form.get("MessageSid") or form.get("SmsSid") or ""
    if "Body" in form and status in ("", "received", "receiving"):
        inbound.receive("sms", "twilio", sender=form.get("From", ""), text=form["Body"], provider_id=sid)
        return
    message = _of_receipt(sid, url)
    if message is None:
        raise NotFound("There is no such message.")
    _require_same(message, sid)
    reason = f"Twilio: error {form['ErrorCode']}" if form.get("ErrorCode") else ""
    if message.status in ("sending", "unknown"):
        sending.record_sent(message, Handed(sid))
    if (outcome := RECEIPTS.get(status)) is not None:
        sending.record_outcome(message.id, Handed(sid, outcome, reason=reason))


def _require_twilio(url: str, form: Mapping[str, str], signature: str) -> None:
    from twilio.request_validator import RequestValidator

    secret = settings.current().twilio_auth_token
    if not secret or not RequestValidator(secret).validate(url, dict(form), signature):
        raise BadSignature("The signature is not Twilio's.")


def _of_receipt(sid: str, url: str) -> message_rows.Message | None:
    """The message of Twilio's id, or of ours in the address."""
    rows = message_rows.read("provider = 'twilio' and provider_id = %s and direction = 'out'", (sid.replace("\x00", ""),))
    if rows:
        return rows[0]
    _, _, ours = url.partition("?m=")
    found = message_rows.by_id(ours) if ours.startswith("msg_") else None
    return found if found is not None and found.channel == "sms" and found.provider == "twilio" else None


def from_calls(token: str, body: bytes, headers: Mapping[str, str]) -> None:
    """The end of a call. Raises BadSignature, NotFound for no call of ours, Conflict where it names another one, Invalid."""
    addresses.require_callback("call", "http", token)
    _require_standard(body, headers)
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Invalid("The body is no JSON.") from None
    if not isinstance(told, dict) or not isinstance(told.get("id"), str):
        raise Invalid("Name the call.", details=[{"field": "id", "reason": "The id that the call was asked for with."}])
    message = message_rows.by_id(told["id"])
    if message is None or message.channel != "call" or message.direction != "out" or message.sandbox or message.status == "waiting":
        raise NotFound("There is no such call.")
    provider_id = str(told.get("call") or "")[:200]
    _require_same(message, provider_id)
    ended = handed(told, provider_id or message.provider_id or "")
    if not ended.outcome:
        raise Invalid("Say how it ended.", details=[{"field": "outcome", "reason": "answered, no_answer, voicemail, busy or failed."}])
    sending.record_outcome(message.id, ended)


def from_mail(token: str, raw: bytes) -> None:
    """A mail that came back or in, as it is: a report marks its message as failed, an answer is kept. What nobody wrote and what is known already changes nothing.

    The address is what its sender is believed by: only the mail server has it. Raises NotFound for another address.
    """
    addresses.require_callback("email", "smtp", token)
    take_in(mail_reports.read(raw))


def take_in(told: mail_reports.Bounce | mail_reports.Answer | None) -> None:
    """Keep what a mail tells: an answer, or that a message did not arrive; None tells nothing."""
    if isinstance(told, mail_reports.Answer):
        inbound.receive("email", "smtp", sender=told.sender, text=told.text, provider_id=told.mail_id)
    elif told is not None and told.failed:
        message = message_rows.by_id(told.message_id)
        if message is not None and message.channel == "email" and message.direction == "out" and not message.sandbox:
            sending.record_outcome(message.id, Handed(message.provider_id or "", "failed", reason=f"The mail server says: {told.reason}"))


def _require_standard(body: bytes, headers: Mapping[str, str]) -> None:
    from standardwebhooks import Webhook, WebhookVerificationError

    secret = settings.current().call_secret
    if secret is None:
        raise BadSignature("CONSOLE_CALL_SECRET is not set.")
    try:
        Webhook(secret).verify(body, {name.lower(): value for name, value in headers.items()}, json_parse=False)
    except (WebhookVerificationError, ValueError):  # the second: no text, or a signature that is no base64
        raise BadSignature("The signature does not fit, or is older than five minutes.") from None


def _require_same(message: message_rows.Message, provider_id: str) -> None:
    if message.provider_id and provider_id and message.provider_id != provider_id:
        raise Conflict("This names another message of the provider.", code="another_id")


def chosen_by_hand(message: message_rows.Message, told: Mapping[str, Any]) -> bool:
    """What a person chose in the sandbox for a message that is on its way; False where it has ended already."""
    outcome, _, label = str(told.get("outcome", "")).partition("/")
    return sending.record_outcome(message.id, Handed(message.provider_id or "", outcome, label, transcript=str(told.get("transcript", ""))))
