"""SMS by any HTTP gateway: its request, its answers and its callbacks are as its page under Settings, Channels describes them."""

import hashlib
import hmac
from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from console.channels.base import MOST_WORDS, Answer, BadSignature, Callback, Handed, Letter, Provider, Receipt, said_in
from console.core import gateways
from console.core.answer_trees import at, form_of, tree_of, typed_words, walk
from console.core.contacting import Kind
from console.core.gateways import ACCEPTED, AGAIN, MASK, REFUSED, Gateway, Request
from console.core.plain_words import one_line
from console.errors import IntegrationError, Invalid, OutcomeUnknown
from console.integrations import kept_channels, net, outgoing_secrets

NOT_SET = "The SMS gateway is not described: Settings, Channels, SMS gateway."
MOST_AT_ONCE = 1_000
DIGESTS = {40: hashlib.sha1, 64: hashlib.sha256, 128: hashlib.sha512}
"""By the number of hexadecimal digits of a signature."""


class GatewaySms(Provider):
    """What a gateway keeps of a message is known only where a status request by our own id is described."""

    kind: ClassVar[Kind] = "sms"
    name, title, looks, calls_back, by_page, gets = "gateway", "HTTP gateway", True, True, True, True

    def missing(self) -> tuple[str, ...]:
        """That it is switched on."""
        gateway = kept_channels.kept_for("sms").gateway
        return () if gateway is not None and gateway.on else ("SMS gateway",)

    def can_look(self) -> bool:
        """Whether a status request is described."""
        gateway = kept_channels.kept_for("sms").gateway
        return gateway is not None and bool(gateway.status_url)

    def send(self, letter: Letter) -> Handed:
        """Ask the gateway to send it."""
        gateway = _gateway()
        secret = secret_of(gateway)
        asked = gateways.request_of(gateway, letter.to, str(letter.content["text"]), letter.id, secret=secret, callback=letter.callback)
        return became(gateway, exchange(asked), secret)

    def find(self, letter: Letter, provider_id: str) -> Handed | None:
        """Ask by our own id."""
        gateway = _gateway()
        answer = exchange(gateways.status_request_of(gateway, letter.to, letter.id, secret_of(gateway)))
        if gateways.missing_there(gateway, answer.status, answer.body):
            return None
        if not answer.good:
            raise IntegrationError(f"The SMS gateway answered {answer.status} when it was asked about the message.", code="refused")
        text = answer.body.decode("utf-8", "replace")
        word = at(tree_of(text), gateway.status_field) if gateway.status_field else text
        known = typed_words(gateway.delivered) | typed_words(gateway.failed) | typed_words(gateway.sent)
        if (word or "").strip().casefold() not in known:
            raise OutcomeUnknown(
                "The SMS gateway does not say in known words what became of the message; it cannot be told whether it left."
            )
        outcome = gateways.outcome_of(gateway, word)
        return Handed(provider_id, outcome, reason=_reason("", (word or "").strip()) if outcome == "failed" else "")

    def thanking(self) -> tuple[str, str]:
        """What the page says; nothing where it says nothing: some gateways send what they are answered to whoever wrote."""
        gateway = kept_channels.kept_for("sms").gateway
        return gateway.told_answer if gateway is not None else "", "text/plain"

    def told(self, callback: Callback) -> Sequence[Receipt | Answer]:
        """Receipts and messages that came in, as many as it tells at once."""
        gateway = kept_channels.kept_for("sms").gateway
        if gateway is None:
            raise Invalid(NOT_SET)
        return read(gateway, callback, outgoing_secrets.for_address(gateway.check_secret, gateway.base) if gateway.check != "none" else "")


def _gateway() -> Gateway:
    gateway = kept_channels.kept_for("sms").gateway
    if gateway is None:
        raise IntegrationError(NOT_SET, code="not_set_up")
    return gateway


def secret_of(gateway: Gateway) -> str:
    """Its secret, "" where it needs none. Raises IntegrationError; the message waits until somebody has set it."""
    try:
        return outgoing_secrets.for_address(gateway.secret, gateway.base) if gateway.secret else ""
    except IntegrationError as error:
        raise IntegrationError(error.message, permanent=False, code=error.code) from None


def exchange(asked: Request) -> net.Answer:
    """The answer to the request. Raises IntegrationError where nothing was sent, OutcomeUnknown where no answer came."""
    return net.send(asked.method, asked.url, asked.body, {"Accept": "*/*", **asked.headers})


def became(gateway: Gateway, answer: net.Answer, secret: str) -> Handed:
    """What its answer makes of the message."""
    told = gateways.understood(gateway, answer.status, answer.body, whole=answer.whole)
    if told.meaning == ACCEPTED:
        return Handed(told.message_id)
    said = said_in(masked(answer.body, secret))
    words = f"The SMS gateway answered {answer.status}{said}"
    if 300 <= answer.status < 400:
        words = (
            f"The SMS gateway sends on to another address ({answer.status}), which is not followed: enter that one under Settings, Channels"
        )
    if told.meaning in (REFUSED, AGAIN):
        raise IntegrationError(f"{words}.", permanent=told.meaning == REFUSED, wait_s=answer.wait_s, code="refused")
    if answer.good:
        words = f"The SMS gateway answered with {told.why}{said}"
    raise OutcomeUnknown(f"{words}; it cannot be told whether the SMS left.")


def masked(body: bytes, secret: str) -> bytes:
    """The answer without our secret, which some gateways repeat."""
    for written in {secret, quote(secret, safe="")} - {""}:
        body = body.replace(written.encode(), MASK.encode())
    return body


def read(gateway: Gateway, callback: Callback, secret: str) -> list[Receipt | Answer]:
    """What a callback says, once its check has passed. Raises BadSignature, Invalid."""
    query = _form(callback.url.partition("?")[2])
    _require_signed(gateway, callback, secret)
    text = callback.body.decode("utf-8", "replace")
    tree = tree_of(text)
    if tree is None and text.strip():
        if text.lstrip()[:1] in ("{", "[", "<"):
            raise Invalid("The body is neither JSON nor XML that can be read.")
        tree = _form(text)
    if gateway.check == "token":
        _require_token(gateway, callback, query, tree, secret)
    items = walk(tree, gateway.told_list) if gateway.told_list else tree
    listed = items if isinstance(items, list) else [items]
    if len(listed) > MOST_AT_ONCE:
        raise Invalid(f"At most {MOST_AT_ONCE:,} at once.")
    single = len(listed) == 1
    return [said for item in listed if (said := _receipt_or_answer(gateway, [item, query] if single else [item], query)) is not None]


def _receipt_or_answer(gateway: Gateway, where: list[Any], query: dict[str, str]) -> Receipt | Answer | None:
    """A receipt or a message of one entry; None where it is neither."""

    def value(field: str) -> str:
        found = (at(tree, field) for tree in where) if field else ()
        return next((each for each in found if each is not None), "")

    status = value(gateway.told_status)
    known = typed_words(gateway.delivered) | typed_words(gateway.failed) | typed_words(gateway.sent)
    sender, text, comes_in = value(gateway.in_sender), value(gateway.in_text), gateways.comes_in(gateway, where)
    if comes_in is None:  # of one without a text nobody could tell it from a receipt
        comes_in = bool(text) and status.strip().casefold() not in known
    if comes_in and sender:
        return Answer(_writer(sender, gateway.sender), text, value(gateway.in_id)[:200])
    ours, theirs = value(gateway.told_ours) or (query.get("m", "") if len(where) > 1 else ""), value(gateway.told_message)[:200].strip()
    if not status or not (ours or theirs):
        return None
    outcome = gateways.outcome_of(gateway, status)
    return Receipt(Handed(theirs, outcome, reason=_reason(value(gateway.told_reason), status) if outcome == "failed" else ""), ours[:200])


def _writer(told: str, own: str) -> str:
    """The number of who wrote. One without its country, which is none as it stands, is read as one of the country of our own number: who says STOP is to be found."""
    import phonenumbers

    number = gateways.read_number(told)
    ours, whole = _parsed(gateways.read_number(own)), _parsed(number) if number.startswith("+") else None
    region = phonenumbers.region_code_for_number(ours) if ours is not None else None
    if region is None or (whole is not None and phonenumbers.is_valid_number(whole)):
        return number
    national = _parsed(told, region)
    if national is None or not phonenumbers.is_valid_number(national):
        return number
    written: str = phonenumbers.format_number(national, phonenumbers.PhoneNumberFormat.E164)
    return written


def _parsed(text: str, region: str | None = None) -> Any:
    """The number; None for what is none, such as one that begins with the code of no country."""
    import phonenumbers

    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _reason(said: str, status: str) -> str:
    return f"The SMS gateway says: {one_line(said or status, MOST_WORDS)}"


def _form(text: str) -> dict[str, str]:
    try:
        return form_of(text)
    except ValueError:
        raise Invalid("There are too many fields.") from None


def _require_signed(gateway: Gateway, callback: Callback, secret: str) -> None:
    """Raise BadSignature unless the header holds an HMAC of the body, in hexadecimal digits or base64, perhaps with `sha256=` before it."""
    if gateway.check != "hmac":
        return
    given = callback.headers.get(gateway.check_name.lower(), "").strip()
    name, equals, rest = given.partition("=")
    given = rest if equals and name.lower() in ("sha1", "sha256", "sha512", "v1") else given
    try:
        raw = bytes.fromhex(given) if len(given) in DIGESTS else b64decode(given, validate=True)
    except (ValueError, NoBase64):
        raw = b""
    digest = DIGESTS.get(len(raw) * 2)
    if (
        digest is None
        or not secret
        or not callback.body
        or not hmac.compare_digest(hmac.digest(secret.encode(), callback.body, digest), raw)
    ):
        raise BadSignature("The signature is not the gateway's.")


def _require_token(gateway: Gateway, callback: Callback, query: dict[str, str], tree: Any, secret: str) -> None:
    given = callback.headers.get(gateway.check_name.lower()) or query.get(gateway.check_name) or at(tree, gateway.check_name) or ""
    if not secret or not hmac.compare_digest(given.removeprefix("Bearer ").encode(), secret.encode()):
        raise BadSignature("The token is not the gateway's.")
