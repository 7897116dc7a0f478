"""`/channels/<kind>/<provider>/<token>`: where providers tell what became of messages, and hand over what people answer."""

from flask import Blueprint, Response, jsonify, request

from console.core.errors import ConsoleError
from console.infra import settings
from console.messaging.channels.base import Callback
from console.messaging.messages import callbacks
from console.views import unread_bodies

blueprint = Blueprint("channel_callbacks", __name__)
blueprint.after_request(unread_bodies.read_on)


@blueprint.post("/channels/<kind>/<provider>/<token>")
def take(kind: str, provider: str, token: str) -> Response:
    """Take what the provider tells; 401 for a signature that is not its own, 409 for another message's id, 413 for more than it sends."""
    try:
        carrier = callbacks.provider_at(kind, provider, token)
        if (request.content_length or 0) > carrier.most_bytes:
            raise ConsoleError("The body is too large.", code="too_large")
        headers = {name.lower(): value for name, value in request.headers.items()}
        callbacks.take(carrier, Callback(_address(), headers, request.get_data(cache=False)))
        text, mimetype = carrier.thanking()
        return Response(text, mimetype=mimetype)
    except ConsoleError as error:
        answer = jsonify(error.to_json())
        answer.status_code = 413 if error.code == "too_large" else error.status
        return answer


def _address() -> str:
    """Return the address that was asked for, as the provider was given it."""
    base = settings.current().base_url
    return f"{base}{request.full_path.rstrip('?')}" if base else request.url
