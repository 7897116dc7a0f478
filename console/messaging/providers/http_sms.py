"""SMS by any gateway that is asked over HTTP, as the document under Settings, Channels describes it."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import parse_qs, parse_qsl, urlencode

from console import log
from console.core import expressions
from console.core.contacting import Kind
from console.core.errors import IntegrationError, Invalid, OutcomeUnknown
from console.core.plain_words import one_line
from console.core.signatures import MOST_FIELDS
from console.core.sms_gateway import SmsGateway, Told
from console.infra.outbound import http_requests, kept_channels, net, outgoing_secrets
from console.messaging.channels.base import (
    MOST_WORDS,
    Answer,
    BadSignature,
    Callback,
    Handed,
    Letter,
    Provider,
    Receipt,
    said_in,
)

MOST_ENTRIES = 1_000


class HttpSms(Provider):
    """A gateway is never asked twice for a message that may have left: it cannot be looked up."""

    kind: ClassVar[Kind] = "sms"
    name, title, calls_back, by_page = "gateway", "HTTP gateway", True, True

    def missing(self) -> tuple[str, ...]:
        """The document."""
        return () if kept_channels.kept_for("sms").gateway is not None else ("SMS gateway",)

    def send(self, letter: Letter) -> Handed:
        """Ask the gateway to send it."""
        gateway = kept_channels.kept_for("sms").gateway
        if gateway is None:
            raise IntegrationError(
                "No SMS gateway is described: Settings, Channels.", permanent=False, code="not_set_up"
            )
        request = gateway.request
        roots = {
            "input": {
                "to": letter.to,
                "text": str(letter.content["text"]),
                "id": letter.id,
                "callback": letter.callback,
            }
        }
        try:
            secret = outgoing_secrets.for_address(request.secret, gateway.origin) if request.secret else None
        except IntegrationError as error:  # it waits until somebody has set it
            raise IntegrationError(error.message, permanent=False, code=error.code) from None
        try:
            url = http_requests.fill_address(request.url, roots)
            body, media = _body(gateway, roots)
            headers = {
                "Accept": "application/json",
                "Idempotency-Key": letter.id,
                **({"Content-Type": media} if media else {}),
            }
            filled = {name: expressions.render(text, roots) for name, text in request.headers.items()}
            headers |= {name: http_requests.header(name, text) for name, text in filled.items()}
        except Invalid as error:
            raise IntegrationError(error.message, permanent=True, code="bad_request") from None
        if secret is not None:
            headers |= http_requests.credentials(secret, request.secret_header, request.user)
        answer = net.send(request.method, url, body, headers, read_s=request.timeout_s)
        return _handed(gateway, answer, http_requests.without_secret(answer.body, secret))

    def told(self, callback: Callback) -> Sequence[Receipt | Answer]:
        """Receipts and messages that came in, as many as it tells at once."""
        gateway = kept_channels.kept_for("sms").gateway
        if gateway is None or (how := gateway.callback) is None:
            raise Invalid("The document of the SMS gateway says nothing of a callback: Settings, Channels.")
        form = (
            callback.headers.get("content-type", "").partition(";")[0].strip().lower()
            == "application/x-www-form-urlencoded"
        )
        if how.signature is not None:
            secret = outgoing_secrets.for_address(how.secret or "", gateway.origin)
            if wrong := how.signature.mismatch(
                secret, callback.headers, callback.body, log.now(), url=callback.url, form=form
            ):
                raise BadSignature(f"The signature is not the gateway's: {wrong}.")
        event = _form(callback.body) if form else http_requests.json_of(callback.body)
        if event is None:
            raise Invalid("The body is neither JSON nor a form.")
        entries = expressions.parse(how.entries).evaluate({"event": event}) if how.entries else [event]
        if not isinstance(entries, list) or len(entries) > MOST_ENTRIES:
            raise Invalid(f"There is no list of at most {MOST_ENTRIES:,} entries.")
        own = parse_qs(callback.url.partition("?")[2]).get("m", [""])[0] if len(entries) == 1 else ""
        told = (_receipt_or_answer(how, {"event": event, "item": item}, own) for item in entries)
        return [each for each in told if each is not None]

    def thanking(self) -> tuple[str, str]:
        """What the document says, nothing without it: some gateways send the answer on to whoever wrote."""
        gateway = kept_channels.kept_for("sms").gateway
        return (
            gateway.callback.thanks if gateway is not None and gateway.callback is not None else "",
            "text/plain",
        )


def _body(gateway: SmsGateway, roots: Mapping[str, Any]) -> tuple[bytes | None, str]:
    """Return (body, media type); (None, "") without a body."""
    filled = expressions.render_json(gateway.request.body, roots)
    if filled is None:
        return None, ""
    if gateway.request.encoding == "form":
        return urlencode(
            {name: expressions.value_text(value) for name, value in filled.items()}
        ).encode(), "application/x-www-form-urlencoded"
    return json.dumps(filled, ensure_ascii=False).encode(), "application/json"


def _handed(gateway: SmsGateway, answer: net.Answer, body: bytes) -> Handed:
    """Return what the answer makes of the message. Raises IntegrationError where nothing left, OutcomeUnknown where nobody can tell."""
    said = http_requests.json_of(body) if answer.whole else None
    roots = {"answer": body.decode("utf-8", "replace") if said is None else said}
    how = gateway.answer
    reason = one_line(expressions.render(how.reason, roots), MOST_WORDS) if how.reason else ""
    words = f"The SMS gateway answered {answer.status}{f': {reason}' if reason else said_in(body)}"
    if answer.good:
        accepted = expressions.parse(how.accepted) if how.accepted else None
        if accepted is not None and accepted.denies(roots):
            raise IntegrationError(f"{words}.", permanent=True, code="refused")
        if not (accepted.test(roots) if accepted is not None else not http_requests.is_page(body)):
            raise OutcomeUnknown(f"{words}; it cannot be told whether the SMS left.")
        return Handed(_text(how.id, roots)[:200])
    later = answer.status in how.again and answer.status not in how.refused
    if 300 <= answer.status < 400:
        later, words = (
            True,
            f"The SMS gateway sends on to another address ({answer.status}), which is not followed",
        )
    refused = answer.status in how.refused or (not how.refused and 400 <= answer.status < 500)
    if later or refused:
        raise IntegrationError(f"{words}.", permanent=not later, wait_s=answer.wait_s, code="refused")
    raise OutcomeUnknown(f"{words}; it cannot be told whether the SMS left.")


def _receipt_or_answer(how: Told, roots: Mapping[str, Any], own: str) -> Receipt | Answer | None:
    """Return the receipt or the message of one entry; None where it is neither."""
    status, sender, text = _text(how.status, roots), _text(how.from_, roots), _text(how.text, roots)
    word = status.strip().casefold()
    if sender and text and word not in (*how.delivered, *how.failed, *how.sent):
        return Answer(_number(sender, how.country), text, _text(how.id, roots)[:200])
    ours, theirs = (_text(how.message, roots) or own)[:200], _text(how.id, roots)[:200].strip()
    if not status or not (ours or theirs):
        return None
    outcome = "delivered" if word in how.delivered else "failed" if word in how.failed else ""
    reason = (
        f"The SMS gateway says: {one_line(_text(how.reason, roots) or status, MOST_WORDS)}"
        if outcome == "failed"
        else ""
    )
    return Receipt(Handed(theirs, outcome, reason=reason), ours)


def _number(told: str, country: str | None) -> str:
    """Return the number of who wrote with its country, as far as it is one: digits alone have their country before them unless `country` says otherwise."""
    import phonenumbers

    bare = re.sub("^00", "+", told.strip())
    for text, region in ((bare, country), (f"+{bare}", None)):
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return told.strip()


def _text(expression: str | None, roots: Mapping[str, Any]) -> str:
    return expressions.value_text(expressions.parse(expression).value(roots)) if expression else ""


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(
            reversed(
                parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
            )
        )
    except ValueError:
        raise Invalid(f"The body has more than {MOST_FIELDS:,} fields.") from None
