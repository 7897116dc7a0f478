"""SMS by Twilio: its own library over our own way out."""

import base64
import logging
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from console import settings
from console.channels.base import Answer, BadSignature, Callback, Handed, Letter, Provider, Receipt
from console.core.contacting import Kind
from console.errors import IntegrationError, OutcomeUnknown
from console.integrations import net

_log = logging.getLogger(__name__)
OUTCOMES = {"delivered": "delivered", "read": "delivered", "undelivered": "failed", "failed": "failed", "canceled": "failed"}
LOOKED_BACK = timedelta(days=2)


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
            for name, value in zip(names, (given.twilio_account_sid, given.twilio_auth_token, given.twilio_from), strict=True)
            if not value
        )

    def send(self, letter: Letter) -> Handed:
        """Ask Twilio to send it."""
        sender = str(settings.current().twilio_from)
        own = {"messaging_service_sid": sender} if sender.startswith("MG") else {"from_": sender}
        more = {"status_callback": letter.callback} if letter.callback else {}
        made = _answer_of(lambda client: client.messages.create(to=letter.to, body=str(letter.content["text"]), **own, **more))
        return Handed(str(made.sid), OUTCOMES.get(str(made.status), ""), reason=str(made.error_message or ""))

    def find(self, letter: Letter, provider_id: str) -> Handed | None:
        """Ask by Twilio's id where it is known, else for the newest message of this text to this number."""
        if provider_id:
            made = _answer_of(lambda client: client.messages(provider_id).fetch())
            return Handed(provider_id, OUTCOMES.get(str(made.status), ""), reason=str(made.error_message or ""))
        since = (letter.since or letter.at) - LOOKED_BACK
        there = _answer_of(lambda client: client.messages.list(to=letter.to, date_sent_after=since, limit=100))
        fitting = (message for message in there if str(message.direction).startswith("outbound") and message.sid not in letter.taken)
        same = next((message for message in fitting if message.body == letter.content["text"]), None)
        return Handed(str(same.sid), OUTCOMES.get(str(same.status), "")) if same is not None else None

    def told(self, callback: Callback) -> Receipt | Answer:
        """A receipt, or an SMS that came in. Its address has our id behind `?m=`."""
        from twilio.request_validator import RequestValidator

        fields = parse_qsl(callback.body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace")
        form = dict(reversed(fields))  # of two with one name, the first
        secret, signature = settings.current().twilio_auth_token, callback.headers.get("x-twilio-signature", "")
        if not secret or not RequestValidator(secret).validate(callback.url, form, signature):
            raise BadSignature("The signature is not Twilio's.")
        status = form.get("MessageStatus") or form.get("SmsStatus") or ""
        sid = form.get("MessageSid") or form.get("SmsSid") or ""
        if "Body" in form and status in ("", "received", "receiving"):
            return Answer(form.get("From", ""), form["Body"], sid)
        reason = f"Twilio: error {form['ErrorCode']}" if form.get("ErrorCode") else ""
        return Receipt(Handed(sid, OUTCOMES.get(status, ""), reason=reason), callback.url.partition("?m=")[2])


def _answer_of(call: Any) -> Any:
    """What Twilio's library makes of the answer. Raises IntegrationError where Twilio refused, OutcomeUnknown where it did not answer."""
    from twilio.base.exceptions import TwilioException, TwilioRestException

    try:
        return call(_client())
    except TwilioRestException as error:
        if error.status >= 500 and error.method == "POST":
            raise OutcomeUnknown(f"Twilio answered {error.status}; it cannot be told whether the SMS left.") from error
        permanent = 400 <= error.status < 500 and error.status not in (408, 425, 429)
        raise IntegrationError(
            f"Twilio refused it ({error.status}): {str(error.msg)[:200]}", permanent=permanent, code="refused"
        ) from error
    except TwilioException as error:
        raise OutcomeUnknown("Twilio's answer cannot be read.") from error


def _client() -> Any:
    """Twilio's client over `net`, which checks addresses and ends every wait."""
    from twilio.http import HttpClient
    from twilio.http.response import Response
    from twilio.rest import Client

    given = settings.current()
    base = urlsplit(given.twilio_url)

    class OverNet(HttpClient):  # type: ignore[misc]  # published without types
        """The library's transport: the same request to the address of the settings."""

        def request(
            self, method: str, uri: str, params: Any = None, data: Any = None, headers: Any = None, auth: Any = None, *_: Any, **__: Any
        ) -> Response:
            """The answer, whatever its status."""
            parts = urlsplit(uri)
            query = "&".join(part for part in (parts.query, urlencode(params or {}, doseq=True)) if part)
            path = base.path.rstrip("/") + parts.path
            url = urlunsplit((base.scheme, base.netloc, path, query, ""))
            sent = {
                str(name): str(value) for name, value in (headers or {}).items() if str(name).lower() not in ("host", "accept-encoding")
            }
            if auth:
                sent["Authorization"] = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
            body = urlencode(data, doseq=True).encode() if data else None
            if body is not None:
                sent["Content-Type"] = "application/x-www-form-urlencoded"
            answer = net.send(method.upper(), url, body, sent)  # type: ignore[arg-type]  # the library's own methods
            return Response(answer.status, answer.body.decode("utf-8", "replace"))

    return Client(given.twilio_account_sid, given.twilio_auth_token, http_client=OverNet(_log, is_async=False))
