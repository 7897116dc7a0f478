"""SMS by Twilio: its own library over our own way out."""

import base64
import logging
import unicodedata
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from console.core.contacting import Kind
from console.core.errors import IntegrationError, Invalid, OutcomeUnknown
from console.core.plain_words import one_line
from console.infra import settings
from console.infra.outbound import net
from console.messaging.channels.base import (
    ABOUT_US,
    MOST_WORDS,
    Answer,
    BadSignature,
    Callback,
    Handed,
    Letter,
    Provider,
    Receipt,
)

_log = logging.getLogger(__name__)
OUTCOMES = {
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
LOOKED_BACK = timedelta(days=2)
MOST_FIELDS = 1_000
"""Of a callback: before its signature is looked at, anybody may have written it."""
OPTED_OUT = 21610
WORDS = {
    21211: "There is no such number.",
    21408: "Twilio may not send to this country.",
    21614: "The number takes no SMS.",
    OPTED_OUT: "They have told Twilio STOP.",
    30003: "The telephone is switched off or out of reach.",
    30004: "They have blocked us.",
    30005: "The number is not in use.",
    30006: "It is a landline, which takes no SMS.",
    30007: "Their network took it for spam.",
    30008: "Their network did not say why.",
    21612: "Twilio has no way from our number to this one.",
    21617: "The text is longer than 1,600 characters.",
    30001: "Too many SMS waited at Twilio.",
    30002: "Our account at Twilio is suspended.",
    30032: "Our toll-free number is not verified at Twilio.",
    30034: "Our number is not registered for SMS in the United States (A2P 10DLC).",
}
"""What Twilio's commonest errors mean. Source: https://www.twilio.com/docs/api/errors."""
NO_SENDER = dict.fromkeys(
    (21212, 21603, 21606, 21659, 21660),
    "Twilio does not take our number as a sender: look at CONSOLE_TWILIO_FROM.",
)
NO_SERVICE = dict.fromkeys(
    (21701, 21703, 21704, 21705), "Our messaging service at Twilio has no number to send from."
)
WORDS |= NO_SENDER | NO_SERVICE
OF_OURS = frozenset({20003, 30002, *NO_SENDER, *NO_SERVICE})
"""Errors about our account and our sender, whatever their status: the message leaves when somebody has mended that."""
MARKS = str.maketrans(dict.fromkeys('"`«´»‘’‚‛“”„‟′″‵‶', "'") | dict.fromkeys("‐‑‒–—―−", "-"))
"""Typographic marks → one plain one, whichever of them Twilio chose."""
TRIAL = "Sent from your Twilio trial account - "


class TwilioSms(Provider):
    """Twilio keeps no id of ours: a message that may have left is known by its receiver, its text and its day."""

    kind: ClassVar[Kind] = "sms"
    name, title, looks, calls_back = "twilio", "Twilio", True, True
    thanks = ("<Response/>", "text/xml")

    def missing(self) -> tuple[str, ...]:
        """The account, its secret and the sender."""
        given = settings.current()
        names = ("CONSOLE_TWILIO_ACCOUNT_SID", "CONSOLE_TWILIO_AUTH_TOKEN", "CONSOLE_TWILIO_FROM")
        return tuple(
            name
            for name, value in zip(
                names, (given.twilio_account_sid, given.twilio_auth_token, given.twilio_from), strict=True
            )
            if not value
        )

    def send(self, letter: Letter) -> Handed:
        """Ask Twilio to send it."""
        sender = str(settings.current().twilio_from)
        own = {"messaging_service_sid": sender} if sender.startswith("MG") else {"from_": sender}
        more = {"status_callback": letter.callback} if letter.callback else {}
        made = _answer_of(
            lambda client: client.messages.create(
                to=letter.to, body=str(letter.content["text"]), **own, **more
            )
        )
        if not made.sid:
            raise OutcomeUnknown("Twilio's answer names no message; it cannot be told whether the SMS left.")
        return _became(made.sid, made.status, made.error_code, str(made.error_message or ""))

    def find(self, letter: Letter, provider_id: str) -> Handed | None:
        """Ask by Twilio's id where it is known, else for the newest message of this text to this number."""
        if provider_id:
            made = _answer_of(lambda client: client.messages(provider_id).fetch())
            return _became(provider_id, made.status, made.error_code, str(made.error_message or ""))
        since = (letter.since or letter.at) - LOOKED_BACK
        there = _answer_of(
            lambda client: client.messages.list(to=letter.to, limit=100)
        )  # asked by the day of sending, it leaves out what is queued
        lately = (
            message for message in there if message.date_created is None or message.date_created >= since
        )
        fitting = (
            message
            for message in lately
            if str(message.direction).startswith("outbound") and message.sid not in letter.taken
        )
        text = _as_sent(str(letter.content["text"]))
        same = next((message for message in fitting if _as_sent(str(message.body)) == text), None)
        return (
            _became(same.sid, same.status, same.error_code, str(same.error_message or ""))
            if same is not None
            else None
        )

    def told(self, callback: Callback) -> Receipt | Answer:
        """A receipt, or an SMS that came in. Its address has our id behind `?m=`."""
        from twilio.request_validator import RequestValidator

        try:
            fields = parse_qsl(
                callback.body.decode("utf-8", "replace"),
                keep_blank_values=True,
                errors="replace",
                max_num_fields=MOST_FIELDS,
            )
        except ValueError:
            raise Invalid(f"The body has more than {MOST_FIELDS} fields.") from None
        form = dict(reversed(fields))  # of two with one name, the first
        secret, signature = (
            settings.current().twilio_auth_token,
            callback.headers.get("x-twilio-signature", ""),
        )
        if not secret or not RequestValidator(secret).validate(callback.url, form, signature):
            raise BadSignature("The signature is not Twilio's.")
        status = form.get("MessageStatus") or form.get("SmsStatus") or ""
        sid = form.get("MessageSid") or form.get("SmsSid") or ""
        if "Body" in form and status in ("", "received", "receiving"):
            text = "\n".join(part for part in (form["Body"], _attached(form.get("NumMedia", ""))) if part)
            return Answer(form.get("From", ""), text, sid, stops=form.get("OptOutType", "").upper() == "STOP")
        return Receipt(_became(sid, status, form.get("ErrorCode")), callback.url.partition("?m=")[2])


def _as_sent(text: str) -> str:
    """The text as Twilio keeps it: its smart encoding writes plain marks for typographic ones, blanks at the ends go, and what a trial account adds stands before it.

    Compared letter by letter, a message that left would not be found, and would be sent again. Source: https://www.twilio.com/docs/messaging/services#smart-encoding.
    """
    plain = unicodedata.normalize("NFKC", text.translate(MARKS))
    kept = "".join(char for char in plain if unicodedata.category(char) != "Cf")
    return " ".join(kept.split()).removeprefix(TRIAL).strip()


def _attached(number: str) -> str:
    """What stands for the pictures and other files of an MMS."""
    many = int(number) if number.isdecimal() and len(number) < 4 else 0
    return f"[{many} file{'s' if many > 1 else ''} attached: look at Twilio]" if many else ""


def _became(sid: object, status: object, code: object, told: str = "") -> Handed:
    """What Twilio says of a message, its error in words."""
    outcome, number = OUTCOMES.get(str(status), ""), str(code or "")
    known = WORDS.get(int(number), "") if number.isdecimal() else ""
    if outcome == "failed" and number == str(OPTED_OUT):
        outcome = "opted_out"
    words = one_line(told, MOST_WORDS)
    reason = (
        known or words or ("Twilio could not deliver it, and does not say why in words." if number else "")
    )
    said = (
        f"{number} {words}"
        if known and words
        else f"Twilio: error {number}"
        if number and reason != words
        else ""
    )
    return Handed(str(sid), outcome, reason=reason, said=said)


def _answer_of(call: Any) -> Any:
    """What Twilio's library makes of the answer. Raises IntegrationError where Twilio refused, OutcomeUnknown where it did not answer."""
    from twilio.base.exceptions import TwilioException, TwilioRestException

    client = _client()
    try:
        return call(client)
    except TwilioRestException as error:
        if error.status >= 500 and error.method == "POST":
            raise OutcomeUnknown(
                f"Twilio answered {error.status}; it cannot be told whether the SMS left."
            ) from error
        passing = error.status in (408, 425, 429, *ABOUT_US) or error.code in OF_OURS
        permanent = 400 <= error.status < 500 and not passing
        told = one_line(str(error.msg).removeprefix("Unable to create record: "), MOST_WORDS)
        words = WORDS.get(error.code) or f"Twilio refused it ({error.status}): {told}"
        said = one_line(f"{error.code} {told}", MOST_WORDS) if error.code in WORDS else ""
        code = "opted_out" if error.code == OPTED_OUT else "refused"
        raise IntegrationError(
            words, permanent=permanent, wait_s=client.http_client.wait_s, code=code, said=said
        ) from error
    except (
        TwilioException,
        ValueError,
        AttributeError,
        TypeError,
        LookupError,
        RecursionError,
    ) as error:  # no JSON, or JSON of somebody else
        raise OutcomeUnknown("Twilio's answer cannot be read.") from error


def _client() -> Any:
    """Twilio's client over `net`, which checks addresses and ends every wait."""
    from twilio.http import HttpClient
    from twilio.http.response import Response
    from twilio.rest import Client

    given = settings.current()
    base = urlsplit(given.twilio_url)

    class OverNet(HttpClient):  # type: ignore[misc]  # published without types
        """The library's transport: the same request to the address of the settings. `wait_s`: how long the last answer asks to wait."""

        wait_s: float | None = None

        def request(
            self,
            method: str,
            uri: str,
            params: Any = None,
            data: Any = None,
            headers: Any = None,
            auth: Any = None,
            *_: Any,
            **__: Any,
        ) -> Response:
            """The answer, whatever its status."""
            parts = urlsplit(uri)
            query = "&".join(part for part in (parts.query, urlencode(params or {}, doseq=True)) if part)
            path = base.path.rstrip("/") + parts.path
            url = urlunsplit((base.scheme, base.netloc, path, query, ""))
            sent = {
                str(name): str(value)
                for name, value in (headers or {}).items()
                if str(name).lower() not in ("host", "accept-encoding")
            }
            if auth:
                sent["Authorization"] = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
            body = urlencode(data, doseq=True).encode() if data else None
            if body is not None:
                sent["Content-Type"] = "application/x-www-form-urlencoded"
            answer = net.send(method.upper(), url, body, sent)  # type: ignore[arg-type]  # the library's own methods
            self.wait_s = answer.wait_s
            return Response(answer.status, answer.body.decode("utf-8", "replace"))

    return Client(
        given.twilio_account_sid, given.twilio_auth_token, http_client=OverNet(_log, is_async=False)
    )
