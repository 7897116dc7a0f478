"""`/channels/<kind>/<provider>/<token>`: where providers tell what became of messages, and hand over what people answer."""

from flask import Blueprint, Response, jsonify, make_response, request

from console import settings
from console.channels import callbacks
from console.errors import ConsoleError, NotFound

blueprint = Blueprint("channel_callbacks", __name__)


@blueprint.post("/channels/<kind>/<provider>/<token>")
def take(kind: str, provider: str, token: str) -> Response:
    """Take what the provider tells; 401 for a signature that is not its own, 409 for another message's id."""
    try:
        if (kind, provider) == ("sms", "twilio"):
            callbacks.from_twilio(token, _address(), request.form.to_dict(), request.headers.get("X-Twilio-Signature", ""))
            answer = make_response("<Response/>")
            answer.headers["Content-Type"] = "text/xml"
            return answer
        if (kind, provider) == ("call", "http"):
            if (request.content_length or 0) > callbacks.MOST_BYTES:
                raise ConsoleError("The body is too large.", code="too_large")
            callbacks.from_calls(token, request.get_data(cache=False), dict(request.headers))
            return jsonify({"status": "ok"})
        if (kind, provider) == ("email", "smtp"):
            if (request.content_length or 0) > callbacks.MOST_MAIL_BYTES:
                raise ConsoleError("The mail is too large.", code="too_large")
            callbacks.from_mail(token, request.get_data(cache=False))
            return jsonify({"status": "ok"})
        raise NotFound
    except ConsoleError as error:
        answer = jsonify(error.to_json())
        answer.status_code = 413 if error.code == "too_large" else error.status
        return answer


def _address() -> str:
    """Return the address that was asked for, as the provider was given it."""
    base = settings.current().base_url
    return f"{base}{request.full_path.rstrip('?')}" if base else request.url
