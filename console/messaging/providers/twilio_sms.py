"""SMS by Twilio's REST API. Source: https://www.twilio.com/docs/messaging/api/message-resource."""

import base64
import json
import unicodedata
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Literal
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from console import log
from console.core.contacting import Kind
from console.core.errors import IntegrationError, Invalid, OutcomeUnknown
from console.core.plain_words import one_line
from console.core.signatures import MOST_FIELDS, Signature
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

OUTCOMES = {
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
LOOKED_BACK = timedelta(days=2)
SIGNATURE = Signature(header="X-Twilio-Signature", algorithm="sha1", signed="{url}{form}")
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
        form = {
            "To": letter.to,
            "Body": str(letter.content["text"]),
            "MessagingServiceSid" if sender.startswith("MG") else "From": sender,
        }
        made = _ask(
            "POST", "Messages.json", form | ({"StatusCallback": letter.callback} if letter.callback else {})
        )
        if not made.get("sid"):
            raise OutcomeUnknown("Twilio's answer names no message; it cannot be told whether the SMS left.")
        return _handed(made)

    def find(self, letter: Letter, provider_id: str) -> Handed | None:
        """Ask by Twilio's id where it is known, else for the newest message of this text to this number."""
        if provider_id:
            return _handed(_ask("GET", f"Messages/{quote(provider_id, safe='')}.json") | {"sid": provider_id})
        since = (letter.since or letter.at) - LOOKED_BACK
        # asked by the day of sending, it leaves out what is queued
        there = _ask("GET", f"Messages.json?{urlencode({'To': letter.to, 'PageSize': 100})}").get("messages")
        text = _as_sent(str(letter.content["text"]))
        try:
            for made in there or ():
                if (
                    str(made.get("direction")).startswith("outbound")
                    and made.get("sid") not in letter.taken
                    and _as_sent(str(made.get("body"))) == text
                    and (not made.get("date_created") or parsedate_to_datetime(made["date_created"]) >= since)
                ):
                    return _handed(made)
        except (AttributeError, TypeError, ValueError) as error:  # JSON of somebody else
            raise OutcomeUnknown("Twilio's answer cannot be read.") from error
        return None

    def told(self, callback: Callback) -> Receipt | Answer:
        """A receipt, or an SMS that came in. Its address has our id behind `?m=`."""
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
        secret, now = settings.current().twilio_auth_token or "", log.now()
        if all(
            SIGNATURE.mismatch(secret, callback.headers, callback.body, now, url=url, form=True)
            for url in _as_signed(callback.url)
        ):
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


def _handed(made: Mapping[str, Any]) -> Handed:
    """What Twilio says of this message of its API."""
    return _became(
        made.get("sid"), made.get("status"), made.get("error_code"), str(made.get("error_message") or "")
    )


def _as_signed(url: str) -> set[str]:
    """The address as Twilio may have signed it: with its port and without."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return {
        parts._replace(netloc=netloc).geturl() for netloc in (str(parts.hostname), f"{parts.hostname}:{port}")
    }


def _ask(method: Literal["GET", "POST"], path: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The answer of our account's resource. Raises IntegrationError where Twilio refused, OutcomeUnknown where it did not answer."""
    given = settings.current()
    pair = base64.b64encode(f"{given.twilio_account_sid}:{given.twilio_auth_token}".encode()).decode()
    url = f"{given.twilio_url.rstrip('/')}/2010-04-01/Accounts/{given.twilio_account_sid}/{path}"
    headers = {"Authorization": f"Basic {pair}", "Accept": "application/json"}
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    answer = net.send(method, url, urlencode(form).encode() if form is not None else None, headers)
    if answer.status >= 500 and method == "POST":
        raise OutcomeUnknown(f"Twilio answered {answer.status}; it cannot be told whether the SMS left.")
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    if not answer.good:
        raise _refusal(answer, found if isinstance(found, dict) else {})
    if not isinstance(found, dict):  # no JSON, or JSON of somebody else
        raise OutcomeUnknown("Twilio's answer cannot be read.")
    return found


def _refusal(answer: net.Answer, found: Mapping[str, Any]) -> IntegrationError:
    """The error for an answer that is no yes: Twilio's code in words where they are known."""
    given = found.get("code")
    code = given if isinstance(given, int) else 0
    permanent = answer.permanent and answer.status not in ABOUT_US and code not in OF_OURS
    reason = one_line(str(found.get("message") or ""), MOST_WORDS)
    words = WORDS.get(code) or f"Twilio refused it ({answer.status}){f': {reason}' if reason else ''}"
    said = one_line(f"{code} {reason}", MOST_WORDS) if code in WORDS else ""
    return IntegrationError(
        words,
        permanent=permanent,
        wait_s=answer.wait_s,
        code="opted_out" if code == OPTED_OUT else "refused",
        said=said,
    )
