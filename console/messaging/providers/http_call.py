"""Calls by an AI over HTTP: one request begins a call, a signed callback or a look-up tells how it ended.

The contract: POST CONSOLE_CALL_URL `{"id", "to", "from", "script", "agent", "answers", "callback"}` with `Idempotency-Key`, answered by 202
`{"id"}`; GET CONSOLE_CALL_URL?id=… looks it up. Both are signed by Standard Webhooks with CONSOLE_CALL_SECRET.
"""

from typing import Any, ClassVar
from urllib.parse import quote

import orjson

from console.core.contacting import Kind
from console.core.errors import IntegrationError, Invalid, OutcomeUnknown
from console.core.plain_words import one_line
from console.infra import settings
from console.infra.outbound import net
from console.messaging.channels.base import (
    ABOUT_US,
    MOST_WORDS,
    BadSignature,
    Callback,
    Handed,
    Letter,
    Provider,
    Receipt,
    message_of,
    said_in,
)

OUTCOMES = frozenset({"answered", "no_answer", "voicemail", "busy", "failed"})
LONGEST = 100_000
MOST_TURNS = 10_000
UNREADABLE = "The calls' provider answered with something else than JSON"


class HttpCall(Provider):
    """A call is begun once for its id, however often it is asked for."""

    kind: ClassVar[Kind] = "call"
    name, title, looks, calls_back, most_bytes = "http", "Calls over HTTP", True, True, 4 * 1024 * 1024

    def missing(self) -> tuple[str, ...]:
        """The address and its secret."""
        given = settings.current()
        return tuple(
            name
            for name, value in (
                ("CONSOLE_CALL_URL", given.call_url),
                ("CONSOLE_CALL_SECRET", given.call_secret),
            )
            if not value
        )

    def send(self, letter: Letter) -> Handed:
        """Begin the call."""
        content = letter.content
        request = {
            "id": letter.id,
            "to": letter.to,
            "from": settings.current().call_from,
            "script": content.get("script", ""),
            "agent": content.get("agent"),
            "answers": list(content.get("answers") or []),
            "callback": letter.callback,
        }
        body = orjson.dumps(request)
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": letter.id,
            **signature(letter, body),
        }
        answer = net.send("POST", str(settings.current().call_url), body, headers)
        if answer.good:
            begun = _json(answer.body)
            if begun is None:  # perhaps a page of whoever stands before it
                raise OutcomeUnknown(f"{UNREADABLE}; it cannot be told whether it calls.")
            if begun.get("error") and not _id_of(begun):
                said = one_line(message_of(begun["error"]) or str(begun["error"]), MOST_WORDS)
                raise OutcomeUnknown(
                    f"The calls' provider answered {answer.status} with an error ({said}); it cannot be told whether it calls."
                )
            return Handed(_id_of(begun))
        if 300 <= answer.status < 400:
            words = f"The calls' provider sends on to another address ({answer.status}), which is not followed: enter that one in CONSOLE_CALL_URL."
            raise IntegrationError(words, permanent=False, code="refused")
        if answer.status >= 500 and answer.status not in (501, 503):
            words = f"The calls' provider answered {answer.status}{said_in(answer.body)}; it cannot be told whether it calls."
            raise OutcomeUnknown(words)
        permanent = answer.permanent and answer.status not in ABOUT_US
        words = f"The calls' provider answered {answer.status}{said_in(answer.body)}."
        raise IntegrationError(words, permanent=permanent, wait_s=answer.wait_s, code="refused")

    def find(self, letter: Letter, provider_id: str) -> Handed | None:
        """Look the call up by our id."""
        url = str(settings.current().call_url)
        url += ("&" if "?" in url else "?") + "id=" + quote(letter.id, safe="")
        answer = net.send("GET", url, None, signature(letter, b""), most_bytes=self.most_bytes)
        if answer.status == 404:
            return None
        if not answer.good:
            raise IntegrationError(
                f"The calls' provider answered {answer.status}.", permanent=False, code="refused"
            )
        answer_json = _json(answer.body)
        if answer_json is None:
            raise IntegrationError(f"{UNREADABLE}.", permanent=False, code="refused")
        if isinstance(answer_json.get("data"), list):
            answer_json = next((each for each in answer_json["data"] if isinstance(each, dict)), {})
        if not answer_json:
            return None
        return _handed(answer_json, provider_id or _id_of(answer_json))

    def told(self, callback: Callback) -> Receipt:
        """Read the callback that says how a call ended."""
        _require_signature(callback)
        try:
            body = orjson.loads(callback.body)
        except orjson.JSONDecodeError:
            raise Invalid("The body is no JSON.") from None
        if not isinstance(body, dict) or not isinstance(body.get("id"), str):
            raise Invalid("Name the call.", at=("id", "The id that the call was asked for with."))
        handed = _handed(body, str(body.get("call") or "")[:200])
        if not handed.outcome:
            raise Invalid(
                "Say how it ended.", at=("outcome", "answered, no_answer, voicemail, busy or failed.")
            )
        return Receipt(handed, body["id"])


def _require_signature(callback: Callback) -> None:
    from standardwebhooks import Webhook, WebhookVerificationError

    secret = settings.current().call_secret
    if secret is None:
        raise BadSignature("CONSOLE_CALL_SECRET is not set.")
    try:
        callback.body.decode()
    except UnicodeDecodeError:
        raise Invalid("The body is not in UTF-8, so its signature cannot be checked.") from None
    try:
        Webhook(secret).verify(callback.body, dict(callback.headers), json_parse=False)
    except (WebhookVerificationError, ValueError):  # the second: a signature that is no base64
        raise BadSignature("The signature does not fit, or is older than five minutes.") from None


def _handed(body: dict[str, Any], provider_id: str) -> Handed:
    """What a callback or a look-up says of a call."""
    outcome = body.get("outcome")
    texts = {
        name: _text(body.get(name))[:LONGEST] for name in ("label", "transcript", "recording", "call_back")
    }
    texts["label"] = one_line(texts["label"], MOST_WORDS)
    known = outcome if isinstance(outcome, str) and outcome in OUTCOMES else ""
    told = (
        one_line(message_of({"message": body.get("reason"), "error": body.get("error")}), MOST_WORDS)
        if known == "failed"
        else ""
    )
    return Handed(provider_id, known, reason=f"The calls' provider says: {told}" if told else "", **texts)


def _text(told: Any) -> str:
    """What is told as text. Providers tell a transcript also as turns, `{"role": …, "content": …}` each; of anything else that is no text nothing is kept."""
    if isinstance(told, list):
        return "\n".join(text for turn in told[:MOST_TURNS] if (text := _turn(turn)))
    return str(told) if isinstance(told, str | int | float) and not isinstance(told, bool) else ""


def _turn(turn: Any) -> str:
    said = message_of(turn) or (turn.get("content") if isinstance(turn, dict) else "")
    who = (
        next((str(turn[name]) for name in ("role", "speaker") if isinstance(turn.get(name), str)), "")
        if isinstance(turn, dict)
        else ""
    )
    return (
        f"{who}: {said}" if who and isinstance(said, str) and said else said if isinstance(said, str) else ""
    )


def signature(letter: Letter, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks."""
    from standardwebhooks import Webhook

    signed = Webhook(settings.current().call_secret or b"").sign(letter.id, letter.at, body.decode())
    return {
        "webhook-id": letter.id,
        "webhook-timestamp": str(int(letter.at.timestamp())),
        "webhook-signature": signed,
    }


def _id_of(body: dict[str, Any]) -> str:
    return str(body.get("call") or body.get("id") or "")[:200]


def _json(body: bytes) -> dict[str, Any] | None:
    """The object that was answered, empty for nothing; None for what is none."""
    try:
        parsed = orjson.loads(body) if body.strip() else {}
    except orjson.JSONDecodeError:
        return None
    return parsed if isinstance(parsed, dict) else None
