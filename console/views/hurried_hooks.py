"""Deliveries of webhooks in a rush, judged before Flask: what Flask does around a page costs more than a delivery does. Source: docs/adr/0039.

A signed delivery of JSON, to a webhook that was found within this second, is judged here by what judges every other. One that is taken is answered here.
Everything else, and each refusal, is answered by Flask, which is told what was judged.
"""

import io
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from flask import Request
from werkzeug.wsgi import get_input_stream

from console import accounts, log
from console.accounts.rates import Rate
from console.automation import webhooks
from console.records import connect
from console.views import hooks_in, rates, security
from console.views.hooks_in import Judged

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Application: TypeAlias = Callable[["WSGIEnvironment", Any], Iterable[bytes]]
FOLDER = "/hooks/"
JSON = frozenset({"application/json", "application/json;charset=utf-8"})
LEFT_TO_FLASK = ("HTTP_COOKIE", "HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING")
"""Headers that Flask judges."""


def before(application: Application) -> Application:
    """Return the WSGI application with the short way in front of it."""

    def answer(environ: "WSGIEnvironment", start_response: Any) -> Iterable[bytes]:
        hook = _hook_of(environ)
        if hook is None:
            return application(environ, start_response)
        environ[security.BEGUN] = named = security.begin_request()
        judged = _judged(hook, environ)
        if isinstance(judged.came, Exception) or judged.came.challenge is not None:
            environ[hooks_in.JUDGED] = judged
            return application(environ, start_response)
        connect.wait_once(on=False)
        body = hooks_in.accepted(judged.came)
        start_response("202 ACCEPTED", _headers(environ, named, judged.rate, len(body)))
        return [body]

    return answer


def _hook_of(environ: "WSGIEnvironment") -> webhooks.Hook | None:
    """Return the webhook, where the request is one that is judged here."""
    path, length = environ.get("PATH_INFO", ""), environ.get("CONTENT_LENGTH", "")
    if not path.startswith(FOLDER) or environ["REQUEST_METHOD"] != "POST" or (hook := webhooks.found_lately(path[len(FOLDER) :])) is None:
        return None
    plain = (
        hook.signed
        and environ.get("CONTENT_TYPE", "").lower().replace(" ", "") in JSON
        and length.isascii()
        and length.isdigit()
        and int(length) <= webhooks.LARGEST
        and not any(name in environ for name in LEFT_TO_FLASK)
    )
    return hook if plain and accounts.lets_in(environ.get("REMOTE_ADDR", "")) else None


def _judged(hook: webhooks.Hook, environ: "WSGIEnvironment") -> Judged:
    """Return what came of the delivery. Its body stays to be read again."""
    rate: Rate | None = None
    try:
        if limits := rates.limits_for(environ.get("REMOTE_ADDR")):
            rate = accounts.rates.count(hooks_in.limited_as(hook), limits)
        body = get_input_stream(environ, max_content_length=webhooks.LARGEST).read()  # some servers' own streams cannot read to the end
        environ["wsgi.input"] = io.BytesIO(body)
        headers = hooks_in.by_standard(
            {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
        )
        came = webhooks.receive(
            hook,
            webhooks.Delivery(body, headers, None, lambda: hooks_in.sent_to(Request(environ)), client_ip=environ.get("REMOTE_ADDR", "")),
        )
        log.settle(last=True)
    except Exception as error:  # noqa: BLE001 - answered as everywhere
        return Judged(hook, rate, error)
    return Judged(hook, rate, came)


def _headers(environ: "WSGIEnvironment", request_id: str, rate: Rate | None, length: int) -> list[tuple[str, str]]:
    made = [("Content-Type", "application/json"), ("Content-Length", str(length)), *(rate.headers() if rate is not None else ())]
    return [*made, *security.headers_of_answer(request_id, secure=environ["wsgi.url_scheme"] == "https")]
