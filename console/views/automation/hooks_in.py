"""Webhooks that start runs: an address for other programs, which opens nothing without a key or a signature."""

import json
from typing import Any

from flask import Blueprint, Request, Response, g, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from console.automation.webhooks import incoming
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError
from console.infra import settings
from console.views import rates, unread_bodies
from console.views.api import sent_bytes
from console.views.identity import NotSignedIn, key_holder

blueprint = Blueprint("hooks_in", __name__)
blueprint.after_request(unread_bodies.read_on)
CAME_AS = {
    "multipart/form-data": "a form with files",
    "text/plain": "plain text",
    "application/xml": "XML",
    "text/xml": "XML",
}


@blueprint.post("/hooks/<token>")
def receive(token: str) -> ResponseReturnValue:
    """Start the run that is asked for: 202 with its id, in the order of checks that the reference of triggers tells."""
    return _received(incoming.find(token))


def _received(hook: incoming.Hook) -> ResponseReturnValue:
    named = {name.lower(): value for name, value in request.headers.items()}
    try:
        sender = None if hook.signed else _sender(hook)
    except NotSignedIn as unknown:
        if way_out := incoming.signed_instead(hook, named) if not named.get("authorization") else "":
            incoming.record_unreadable(hook, way_out)
            raise NotSignedIn(way_out) from None
        incoming.record_rejection(hook, unknown)
        raise
    if hook.signed:
        rates.count_as(limited_as(hook))
    request.max_content_length = incoming.LARGEST
    headers = by_standard(named)
    try:
        body, form = sent_bytes(also=(incoming.FORM,)), request.mimetype == incoming.FORM
    except UnsupportedMediaType as other:
        came = CAME_AS.get(
            request.mimetype
        )  # no words of the sender's: whoever has only the address fills nothing
        incoming.record_unreadable(
            hook, f"{other.description} {f'It came as {came}.' if came else ''}".strip()
        )
        raise
    except RequestEntityTooLarge:
        incoming.record_unreadable(hook, incoming.TOO_LARGE)
        raise incoming.TooLarge(f"{incoming.TOO_LARGE} Nothing was started.") from None
    try:
        taken = incoming.receive(
            hook,
            incoming.Delivery(
                body, headers, sender, lambda: sent_to(request), form, request.remote_addr or ""
            ),
        )
    except Conflict as error:
        raise _with_run(error) from None
    if taken.reply is not None:
        return Response(taken.reply[0], content_type=f"{taken.reply[1]}; charset=utf-8")
    return _answered(taken)


def _answered(taken: incoming.Taken) -> ResponseReturnValue:
    if taken.challenge is not None:
        return jsonify(dict(taken.challenge))
    return Response(accepted(taken), status=202, content_type="application/json")


def accepted(taken: incoming.Taken) -> bytes:
    """Return the body of the answer to a delivery that was taken."""
    answer = _answer_of(taken) if taken.each is None else {"runs": [_answer_of(each) for each in taken.each]}
    return _encoder.encode(answer).encode()


_encoder = json.JSONEncoder(ensure_ascii=False)


def limited_as(hook: incoming.Hook, key: str | None = None) -> str:
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


def _answer_of(taken: incoming.Taken | ConsoleError) -> dict[str, Any]:
    """Return what came of one object."""
    if isinstance(taken, ConsoleError):
        return {"runId": None, "code": taken.code, "message": taken.words}
    return {
        "runId": taken.run,
        "duplicate": taken.duplicate,
        **({"unused": taken.unused} if taken.unused else {}),
    }


def sent_to(sent: Request) -> str:
    """Return the address that the sender has used, with its query: some sign it."""
    query, base = sent.query_string.decode("latin-1"), settings.current().base_url or sent.host_url
    return f"{base.rstrip('/')}{sent.path}{'?' if query else ''}{query}"


def hook_url(address: str | None) -> str | None:
    """Return the whole address of a webhook, whose secret part this is."""
    base = settings.current().base_url or request.host_url
    return None if address is None else f"{base.rstrip('/')}/hooks/{address}"


def _sender(hook: incoming.Hook) -> Actor:
    """Return the owner of the key that came along, counted under the webhook's limits: as a bearer's, or as the password of Basic, which programs send that take only an address
    (`https://key:cns_…@…`). Raises NotSignedIn, TooMany.
    """
    basic = request.authorization
    named = (
        f"Bearer {basic.password}"
        if basic is not None and basic.type == "basic"
        else request.headers.get("Authorization")
    )
    actor = key_holder(named)
    g.actor = actor
    rates.count_as(limited_as(hook, actor.key_id))
    return actor
