"""Webhooks that start runs: an address for other programs, which opens nothing without a key or a signature."""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Request, Response, g, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from console import settings
from console.accounts.rates import Rate
from console.automation import sender_answers, webhooks
from console.automation.sender_signatures import XERO
from console.core.actor import Actor
from console.errors import Conflict, ConsoleError
from console.views import rates, unread_bodies
from console.views.api import sent_bytes
from console.views.identity import NotSignedIn, key_holder

blueprint = Blueprint("hooks_in", __name__)
JUDGED = "handrail.judged"
"""In the WSGI environment: what came of a delivery that was judged before it came to Flask."""
blueprint.after_request(unread_bodies.read_on)
PING = re.compile(rb"webhook_id=\d{1,20}")
"""The whole body that WooCommerce sends without a signature when a webhook is saved there. It counts any answer but 200 as an error."""
CHALLENGE = re.compile(r"[\w.~-]{1,200}", re.ASCII)
IN_PARTS = "multipart/form-data"
CAME_AS = {
    IN_PARTS: "a form with files",
    "text/plain": "plain text",
    "application/xml": "XML",
    "text/xml": "XML",
}


UNKNOWN_TO_XERO = ("webhook_off", "old_address", "too_large", "not_json")
"""Codes of refusals before the signature is looked at, besides those with 401."""


@blueprint.after_request
def bare_for_xero(response: Response) -> Response:
    """Return the response as Xero's rules have it, without a body: 200 where the signature fits, whatever became of the delivery, and 401 where it does not or was not looked at.
    Any other has Xero send it again for 24 hours, and switch the webhook off then: so others are answered only where it can be taken later.

    Source: https://developer.xero.com/documentation/guides/webhooks/configuring-your-server (2026).
    """
    if XERO not in request.headers or request.method != "POST":
        return response
    code = (response.get_json(silent=True) or {}).get("code") if response.status_code >= 400 else None
    if response.status_code < 500 and "Retry-After" not in response.headers and code != webhooks.Moved.default_code:
        response.status_code = 401 if response.status_code == 401 or code in UNKNOWN_TO_XERO else 200
    response.set_data(b"")
    response.headers.pop("Content-Type", None)
    return response


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a delivery by this webhook, and what is left of its limit."""

    hook: webhooks.Hook
    rate: Rate | None
    came: webhooks.Taken | Exception


@blueprint.post("/hooks/<token>")
def receive(token: str) -> ResponseReturnValue:
    """Start the run that is asked for: 202 with its id, in the order of checks that the reference of triggers tells."""
    judged: Judged | None = request.environ.pop(JUDGED, None)
    hook = webhooks.find(token) if judged is None else judged.hook
    try:
        return _received(hook) if judged is None else _answer_to(judged)
    except ConsoleError:  # by what was found a moment ago: as it stands now, it may be another answer
        if (today := webhooks.find(token, anew=True)) == hook:
            raise
    return _received(today)


def _answer_to(judged: Judged) -> ResponseReturnValue:
    g.rate = judged.rate
    if isinstance(judged.came, Exception):
        raise _with_run(judged.came)
    return _answered(judged.came)


def _received(hook: webhooks.Hook) -> ResponseReturnValue:
    named = {name.lower(): value for name, value in request.headers.items()}
    try:
        sender = None if hook.signed else _sender(hook)
    except NotSignedIn as unknown:
        if way_out := webhooks.signed_instead(hook, named) if not named.get("authorization") else "":
            webhooks.note_away(hook, way_out)
            raise NotSignedIn(way_out) from None
        webhooks.turned_away(hook, unknown)
        raise
    if hook.signed:
        rates.count_as(limited_as(hook))
    request.max_content_length = webhooks.LARGEST
    headers = by_standard(named)
    try:
        fields = None if hook.signed else _fields_in_parts()
        also = (webhooks.FORM, "text/plain") if webhooks.OF_SNS in named else (webhooks.FORM,)
        body, form = (sent_bytes(also=also), request.mimetype == webhooks.FORM) if fields is None else (fields, True)
    except UnsupportedMediaType as other:
        came = CAME_AS.get(request.mimetype)  # no words of the sender's: whoever has only the address fills nothing
        webhooks.note_away(hook, f"{other.description} {f'It came as {came}.' if came else ''}".strip())
        raise
    except RequestEntityTooLarge:
        webhooks.note_away(hook, webhooks.TOO_LARGE)
        raise webhooks.TooLarge(f"{webhooks.TOO_LARGE} Nothing was started.") from None
    if hook.signed and form and PING.fullmatch(body):
        webhooks.note_away(hook, sender_answers.WOOCOMMERCE)
        return jsonify({})
    try:
        taken = webhooks.receive(hook, webhooks.Delivery(body, headers, sender, lambda: sent_to(request), form, request.remote_addr or ""))
    except Conflict as error:
        raise _with_run(error) from None
    if (
        taken.challenge is None
        and taken.each is None
        and hook.signed
        and request.mimetype == webhooks.FORM
        and (words := sender_answers.to_form(headers, body, taken.run)) is not None
    ):
        return Response(words[0], content_type=f"{words[1]}; charset=utf-8")
    return _answered(taken)


def _answered(taken: webhooks.Taken) -> ResponseReturnValue:
    if taken.challenge is not None:
        return jsonify(dict(taken.challenge))
    return Response(accepted(taken), status=202, content_type="application/json")


def accepted(taken: webhooks.Taken) -> bytes:
    """Return the body of the answer to a delivery that was taken."""
    answer = _answer_of(taken) if taken.each is None else {"runs": [_answer_of(each) for each in taken.each]}
    return _encoder.encode(answer).encode()


_encoder = json.JSONEncoder(ensure_ascii=False)


def limited_as(hook: webhooks.Hook, key: str | None = None) -> str:
    """Return the name under which deliveries are counted: those with a key apart from what it asks elsewhere, and from other keys here."""
    return f"hook:{hook.row.workflow}:{hook.row.id}{f':{key}' if key else ''}"


def by_standard(named: dict[str, str]) -> dict[str, str]:
    """Return the headers by small letters, also under the names of the standard where they have the names of before it."""
    return {f"webhook-{name[5:]}": value for name, value in named.items() if name.startswith("svix-")} | named


def _with_run(error: Exception) -> Exception:
    """Return the error; the run that it names is named as in other answers here."""
    if isinstance(error, Conflict) and "run_id" in error.extra:
        error.extra["runId"] = error.extra["run_id"]
    return error


def _fields_in_parts() -> bytes | None:
    """Return the fields of a form in parts, as Jotform and Mailgun send them, as those of a plain form; None for any other body, and one with files or without a field.

    The parts are never the same twice, so nothing that is known by its bytes is taken like this: a signed delivery.
    """
    if request.mimetype != IN_PARTS or request.headers.get("Content-Encoding", "identity").lower() != "identity":
        return None
    pairs = [*request.form.items(multi=True)]
    return urlencode(pairs).encode() if pairs and not request.files else None


def _answer_of(taken: webhooks.Taken | ConsoleError) -> dict[str, Any]:
    """Return what came of one object."""
    if isinstance(taken, ConsoleError):
        return {"runId": None, "code": taken.code, "message": taken.words}
    return {"runId": taken.run, "duplicate": taken.duplicate, **({"unused": taken.unused} if taken.unused else {})}


@blueprint.get("/hooks/<token>")
def confirm(token: str) -> ResponseReturnValue:
    """Answer a sender that asks before its first delivery whether the address is its owner's, as Meta and Dropbox do: with the text that it sent; of one with a key, as Mailchimp does,
    that it would be taken. Nothing is started.
    """
    hook = webhooks.find(token)
    if not hook.signed and request.authorization is not None:
        _sender(hook)
        return Response("Deliveries come by POST.", content_type="text/plain; charset=utf-8")
    wanted = request.args.get("hub.challenge", request.args.get("challenge", ""))
    if not (hook.signed and CHALLENGE.fullmatch(wanted)):
        words = (
            "Send deliveries by POST. A GET is answered only where a sender asks a signed webhook with a challenge. Nothing was started."
        )
        return jsonify(code="method_not_allowed", message=words, details=[]), 405, {"Allow": "POST"}
    return Response(wanted, content_type="text/plain; charset=utf-8")


def sent_to(sent: Request) -> str:
    """Return the address that the sender has used, with its query: some sign it."""
    query, base = sent.query_string.decode("latin-1"), settings.current().base_url or sent.host_url
    return f"{base.rstrip('/')}{sent.path}{'?' if query else ''}{query}"


def hook_url(address: str | None) -> str | None:
    """Return the whole address of a webhook, whose secret part this is."""
    base = settings.current().base_url or request.host_url
    return None if address is None else f"{base.rstrip('/')}/hooks/{address}"


def _sender(hook: webhooks.Hook) -> Actor:
    """Return the owner of the key that came along, counted under the webhook's limits: as a bearer's, or as the password of Basic, which programs send that take only an address
    (`https://key:cns_…@…`). Raises NotSignedIn, TooMany.
    """
    basic = request.authorization
    named = f"Bearer {basic.password}" if basic is not None and basic.type == "basic" else request.headers.get("Authorization")
    actor = key_holder(named)
    g.actor = actor
    rates.count_as(limited_as(hook, actor.key_id))
    return actor
