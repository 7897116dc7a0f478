"""Turn errors into responses: a page, a fragment for htmx, or JSON for programs. This is the only module that does so.

A refusal is an event, committed after everything else was rolled back. An unexpected error is written to the process log with the
request's number; people see that number, never SQL or a trace.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, flash, g, jsonify, make_response, request
from flask_login import current_user
from markupsafe import escape
from werkzeug.exceptions import HTTPException

from console import log, sources
from console.auth import access
from console.auth.access import labels
from console.browse import out_of_scope
from console.core.actor import Actor
from console.core.errors import ConsoleError, Malformed, NotAllowed, NotFound, SourceChanged
from console.infra.db import troubles
from console.infra.db.ids import uuid7_text
from console.permissions.right_requests import Reason
from console.views import frame, outcomes
from console.views.auth import missing_rights, step_up
from console.views.identity import is_api
from console.views.outcomes import Outcome

blueprint = Blueprint("errors", __name__)
_log = logging.getLogger(__name__)

KNOWN: Mapping[int, tuple[str, str, str]] = {
    400: ("malformed", "That could not be read", "The request is not in a form that the console reads."),
    401: ("not_signed_in", "Sign in first", "This needs a key, or a session."),
    403: ("not_allowed", "Not allowed", "The right that this needs is missing."),
    404: ("not_found", "Nothing here", "There is nothing here, or it is outside what you may see."),
    405: ("method_not_allowed", "Not that way", "This address does not take this method."),
    408: ("timeout", "Too slow", "The request did not arrive in time. Send it again."),
    409: ("conflict", "Things have moved", "Things moved in the meantime."),
    413: (
        "too_large",
        "Too large",
        "What was sent is larger than the console takes: send less at once, or smaller files.",
    ),
    415: ("not_json", "Not in that form", "The body is of a type that is not taken here."),
    422: ("invalid", "Something is not right yet", "What was sent can be read and is wrong."),
    429: ("too_many", "Too many at once", "There were too many requests. Try again in a moment."),
    500: (
        "internal_error",
        "Something went wrong here",
        "It is our fault, not yours, and it was written down.",
    ),
    503: ("store_down", "Not available at the moment", "The database does not answer."),
}
"""Status → code for programs, title of the page, what it says when nothing better is known."""
SECRET = ("password", "code", "key", "secret")
NUL = "cannot contain NUL (0x00)"
"""What the driver says of a text with a NUL character."""
AWAY = (troubles.DOWN, troubles.FULL, troubles.READ_ONLY, troubles.READ_ONLY_FOLDER, troubles.STALE)


@dataclass(frozen=True, slots=True)
class Answer:
    """The content of an error response, independent of its form. `extra` is added to the JSON beside code, message and details."""

    status: int
    code: str
    message: str
    details: Sequence[Mapping[str, Any]] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    request_id: str | None = None
    reason: Reason | None = None  # for a refusal: the rule that decided, and who can grant the right
    outcome: Outcome = field(default_factory=Outcome)
    change: str = ""  # the address of what has changed in a data source

    @property
    def title(self) -> str:
        """Return the heading of the page."""
        return KNOWN.get(self.status, KNOWN[500 if self.status >= 500 else 400])[1]


@blueprint.app_errorhandler(ConsoleError)
def answer_expected(error: ConsoleError) -> Response:
    """Answer an expected error; a refusal is logged first. If confirming one's identity would help, that page is the answer."""
    if step_up.can_step_up(error):
        return step_up.ask()
    if (again := served_again(error)) is not None:
        return again
    note_refusal(error)
    body, reason = (
        error.to_json() | {"message": error_message(error)},
        missing_rights.explain(error) if isinstance(error, NotAllowed) else None,
    )
    extra = {name: value for name, value in body.items() if name not in ("code", "message", "details")}
    extra |= reason.to_json() if reason else {}
    headers = {"Retry-After": str(extra["retry_after"])} if "retry_after" in extra else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if (
        error.code == "foreign_form"
    ):  # refused before anything; a page with words on it stays, and sends them again (session.js)
        headers["X-Foreign-Form"] = "refused"
    outcome = outcomes.outcome_of_request()
    outcome = (
        outcome if outcome.to_look_at or error.status >= 500 else Outcome()
    )  # the message of a refusal says that it was refused
    change = "" if is_api() else _change_to_see(error)
    return _respond(
        Answer(
            error.status,
            error.code,
            body["message"],
            body["details"],
            extra,
            headers,
            reason=reason,
            outcome=outcome,
            change=change,
        )
    )


def note_refusal(error: ConsoleError) -> None:
    """Write to the log that something was refused, if that is what the error says."""
    of_record = out_of_scope.target(*error.record) if isinstance(error, NotFound) and error.record else None
    if isinstance(error, NotAllowed) or (isinstance(error, NotFound) and (error.hidden or of_record)):
        _note_refusal(error, of_record)


def error_message(error: ConsoleError) -> str:
    """Return the message of an error. If the schema of a data source differs, check the source again and describe the difference."""
    if isinstance(error, SourceChanged):
        difference = sources.look_again(str(error.extra.get("source", "")))
        if difference is not None:
            return (
                f"{difference.words} {difference.details}."
                if difference.details and _manages_sources()
                else difference.words
            )
        if not is_api():
            return f"{error.words} Load the page again."
    return error.message if is_api() else error.words


def served_again(error: ConsoleError | None) -> Response | None:
    """Return the way to the same page, where a change of the data source was taken over just now; None where it failed for good."""
    if not isinstance(error, SourceChanged) or request.method != "GET" or is_api():
        return None
    again = sources.look_again(str(error.extra.get("source", "")))
    if again is None and error.passing:  # another process took it over already
        return make_response("", 303, {"Location": frame.present_address()})
    if again is None or not again.taken:
        return None
    words = again.words.replace(": load the page again", "")
    flash(f"{words} {again.details}." if again.details and _manages_sources() else words)
    return make_response("", 303, {"Location": frame.present_address()})


def _manages_sources() -> bool:
    who = g.get("actor")
    return who is not None and access.can(who, None, "source", "manage")


def _change_to_see(error: ConsoleError) -> str:
    """Return the address of what has changed in a data source and waits for the reader; empty for everything else."""
    if not isinstance(error, SourceChanged) or not _manages_sources():
        return ""
    name = str(error.extra.get("source", ""))
    difference = sources.look_again(name)
    return f"/settings/sources/{quote(name)}/again" if difference is not None and difference.waits else ""


@blueprint.app_errorhandler(HTTPException)
def answer_http_error(error: HTTPException) -> Response:
    """Answer an HTTP error: unknown address, wrong method, body too large."""
    status = error.code or 500
    code, _, message = KNOWN.get(status, KNOWN[500 if status >= 500 else 400])
    own_message = (
        type(error).description != error.description and error.description
    )  # our own sentence, not the framework's
    headers = {
        name: value
        for name, value in error.get_headers()
        if name.lower() not in ("content-type", "content-length")
    }
    return _respond(
        Answer(status, code, own_message or message, headers=headers, outcome=outcomes.outcome_of_request())
    )


@blueprint.app_errorhandler(Exception)
def answer_unexpected(error: Exception) -> Response:
    """Answer an unexpected error, or a failure of the console's database or disk.

    After the latter nothing was committed, or the answer was lost and a retry finds the commit.
    """
    if NUL in str(error):
        return answer_expected(_unstorable())
    request_id, trouble = _request_id(), troubles.trouble_of(error)
    if trouble in AWAY:
        _log.error(
            "request %s: %s %s", request_id, trouble.message, type(getattr(error, "orig", error)).__name__
        )
        message = (
            KNOWN[503][2]
            if trouble is troubles.DOWN
            else f"{trouble.message} Who runs the console has to see to it. {'Try' if request.method in outcomes.SAFE else 'What you typed is kept here: try'} again then."
        )
        return _respond(
            Answer(
                503,
                trouble.code,
                message,
                headers={"Retry-After": "1"},
                request_id=request_id,
                outcome=outcomes.outcome_of_request(),
            )
        )
    _log.error("request %s failed: %s %s", request_id, request.method, request.endpoint, exc_info=error)
    code, _, message = KNOWN[500]
    return _respond(Answer(500, code, message, request_id=request_id, outcome=outcomes.outcome_of_request()))


def _unstorable() -> Malformed:
    """The refusal of a NUL character that reached the database, with the fields that have one."""
    sent = [*request.form.items(multi=True), *request.args.items(multi=True)]
    fields = sorted({name for name, value in sent if "\x00" in value})
    return Malformed(
        "What was sent has a NUL character, which nothing can store: remove it.",
        details=[(name, "There is a NUL character in it.") for name in fields],
    )


def _respond(answer: Answer) -> Response:
    if is_api():
        extra = (
            dict(answer.extra)
            | ({"request_id": answer.request_id} if answer.request_id else {})
            | answer.outcome.to_json()
        )
        message = " ".join(filter(None, (answer.message, answer.outcome.words)))
        made = jsonify(
            code=answer.code, message=message, details=[dict(detail) for detail in answer.details], **extra
        )
    else:
        made = make_response(_error_page(answer))
    made.status_code = answer.status
    made.headers.update(answer.headers)
    made.headers["Cache-Control"] = "no-store"
    if answer.outcome.state is not None:
        made.headers[outcomes.HEADER] = answer.outcome.state
    return made


def _error_page(answer: Answer) -> str:
    """Return the page, or its middle for htmx; plain text if the template fails too."""
    context = {
        "title": answer.title,
        "message": missing_rights.without_givers(answer.message) if answer.reason else answer.message,
        "details": answer.details,
        "status": answer.status,
        "outcome": answer.outcome,
        "change": answer.change,
        "resend": _form_to_resend() if answer.status == 503 and not answer.outcome.to_look_at else [],
        "retry": not answer.outcome.to_look_at and answer.status in (408, 409, 429, 500, 503),
        "request_id": answer.request_id or _request_id(),
        "reason": answer.reason,
        "place": _place(answer.reason) if answer.reason else None,
        "token": missing_rights.token(answer.reason) if answer.reason else "",
    }
    try:
        return frame.render("errors/error.html", context, "fragment" if frame.wants_fragment() else None)
    except Exception:  # noqa: BLE001 - whatever is wrong with the page, the person is told the first error
        _log.exception("the page of an error could not be drawn")
        return f"<!doctype html><title>{escape(answer.title)}</title><h1>{escape(answer.title)}</h1><p>{escape(answer.message)}</p><p>{escape(answer.outcome.words)}</p>"


def _place(reason: Reason) -> tuple[str, str] | None:
    """Return the address and title of the workflow that something was refused on, for a reader who may see it: the way back from the refusal."""
    kind, _, slug = reason.need[0].partition(":")
    if (
        kind != "workflow"
        or reason.need[1] == "see"
        or not access.can(g.actor, reason.team, reason.need[0], "see")
    ):
        return None
    return (
        ("/workflows", "Workflows")
        if slug == "*"
        else (f"/workflows/{quote(slug, safe='')}", labels.spoken(reason.need[0]))
    )


def _form_to_resend() -> list[tuple[str, str]]:
    """Return the values of the form for a button that sends it again; none if it held a file or a secret."""
    if (
        request.method != "POST"
        or request.files
        or any(secret in name for name in request.form for secret in SECRET)
    ):
        return []
    return list(request.form.items(multi=True))


def _note_refusal(error: NotAllowed | NotFound, of_record: Mapping[str, Any] | None) -> None:
    path = request.view_args or {}
    obj, act = error.need if isinstance(error, NotAllowed) else ("", "")
    opened = {
        "object": obj,
        "act": act,
        "reason": error.code,
        "method": request.method,
        "endpoint": request.endpoint,
        "status": error.status,
        "run": path.get("run_id"),
    }
    used = log.IDEMPOTENCY.set(
        None
    )  # the idempotency key belongs to the request, not to the event of its refusal
    try:
        actor: Actor | None = g.get("actor") or (
            current_user.actor if current_user.is_authenticated else None
        )  # a form of another site is refused before `identify` runs
        if actor is None:
            return
        log.note(
            actor,
            "access_refused",
            open={name: value for name, value in opened.items() if value},
            sealed={"path": request.path},
            **(of_record or {"collection": path.get("collection")}),
        )
    except Exception:  # noqa: BLE001 - the refusal stands, whether or not it could be written down
        _log.exception("alarm: a refusal could not be noted")
    finally:
        log.IDEMPOTENCY.reset(used)


def _request_id() -> str:
    given = g.get("request_id") or log.REQUEST.get()
    if given is None:
        given = g.request_id = uuid7_text()
    return str(given)
