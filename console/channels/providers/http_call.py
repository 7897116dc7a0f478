"""Calls by an AI over HTTP: one request begins a call, a signed callback or a look-up tells how it ended.

The contract: POST CONSOLE_CALL_URL `{"id", "to", "from", "script", "agent", "answers", "callback"}` with `Idempotency-Key`, answered by 202
`{"id"}`; GET CONSOLE_CALL_URL?id=… looks it up. Both are signed by Standard Webhooks with CONSOLE_CALL_SECRET.
"""

from typing import Any, ClassVar
from urllib.parse import quote

import orjson

from console import log, settings
from console.channels.base import Handed, Letter, Provider
from console.core.contacting import Kind
from console.errors import IntegrationError, OutcomeUnknown
from console.integrations import net

OUTCOMES = frozenset({"answered", "no_answer", "voicemail", "busy", "failed"})
LONGEST = 100_000


class HttpCall(Provider):
    """A call is begun once for its id, however often it is asked for."""

    kind: ClassVar[Kind] = "call"
    name, title, looks = "http", "Calls over HTTP", True

    def missing(self) -> tuple[str, ...]:
        """The address and its secret."""
        given = settings.current()
        return tuple(
            name for name, value in (("CONSOLE_CALL_URL", given.call_url), ("CONSOLE_CALL_SECRET", given.call_secret)) if not value
        )

    def send(self, letter: Letter) -> Handed:
        """Begin the call."""
        content = letter.content
        asked = {
            "id": letter.id,
            "to": letter.to,
            "from": settings.current().call_from,
            "script": content.get("script", ""),
            "agent": content.get("agent"),
            "answers": list(content.get("answers") or []),
            "callback": letter.callback,
        }
        body = orjson.dumps(asked)
        headers = {"Content-Type": "application/json", "Idempotency-Key": letter.id, **signature(letter.id, body)}
        answer = net.send("POST", str(settings.current().call_url), body, headers)
        if answer.good:
            return Handed(_id_of(_json(answer.body)))
        if answer.status >= 500 and answer.status not in (501, 503):
            raise OutcomeUnknown(f"The calls' provider answered {answer.status}; it cannot be told whether it calls.")
        raise IntegrationError(f"The calls' provider answered {answer.status}.", permanent=answer.permanent, code="refused")

    def find(self, letter: Letter, provider_id: str) -> Handed | None:
        """Look the call up by our id."""
        url = str(settings.current().call_url)
        url += ("&" if "?" in url else "?") + "id=" + quote(letter.id, safe="")
        answer = net.send("GET", url, None, signature(letter.id, b""))
        if answer.status == 404:
            return None
        if not answer.good:
            raise IntegrationError(f"The calls' provider answered {answer.status}.", permanent=False, code="refused")
        told = _json(answer.body)
        if isinstance(told.get("data"), list):
            told = next((each for each in told["data"] if isinstance(each, dict)), {})
        if not told:
            return None
        return handed(told, provider_id or _id_of(told))


def handed(told: dict[str, Any], provider_id: str) -> Handed:
    """What a callback or a look-up says of a call."""
    outcome = told.get("outcome")
    texts = {name: str(told.get(name) or "")[:LONGEST] for name in ("label", "transcript", "recording")}
    return Handed(provider_id, outcome if outcome in OUTCOMES else "", **texts)


def signature(about: str, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks."""
    from standardwebhooks import Webhook

    now = log.now()
    signed = Webhook(settings.current().call_secret or b"").sign(about, now, body.decode())
    return {"webhook-id": about, "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signed}


def _id_of(told: dict[str, Any]) -> str:
    return str(told.get("call") or told.get("id") or "")[:200]


def _json(body: bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}
