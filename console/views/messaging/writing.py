"""A single message to one contact, written by hand: by which channels it would leave, and when."""

from typing import Any

from flask import Blueprint, Response, flash, request

from console import browse
from console.core.contacting import Kind, Skip, Verdict, WaitUntil
from console.core.errors import Invalid, NotFound
from console.messaging.messages import outbox, single_messages
from console.views import frame, refusals
from console.views.browse import records

blueprint = Blueprint("writing", __name__)
LABELS: dict[Kind, str] = {"email": "E-mail", "sms": "SMS"}
EXPIRES_S = 24 * 3600


@blueprint.route("/c/<collection>/<part>/write", methods=["GET", "POST"])
def on_record(collection: str, part: str) -> Response:
    """Show how a message would leave to the contact now; a POST asks for one."""
    who, key = frame.actor(), frame.key_of(part)
    found = browse.record(who, collection, key)
    if browse.browsed_collection(who, collection)[0].contact is None:
        raise NotFound
    ways = single_messages.outlooks(who, collection, key, EXPIRES_S)
    open_ones = [channel for channel, verdict in ways.items() if not isinstance(verdict, Skip)]
    wrong: Invalid | None = None
    typed = {name: request.form.get(name, "") for name in ("subject", "text")}
    chosen = request.form.get("channel", open_ones[0] if open_ones else "")
    if request.method == "POST":
        try:
            channel = _ask_for_message(
                collection, key, next((each for each in ways if each == chosen), None), typed
            )
        except Invalid as invalid:
            wrong = invalid
        else:
            flash(_came_of(ways[channel]))
            return frame.redirect_to(frame.record_url(collection, key))
    details = {str(each["field"]): str(each["reason"]) for each in (wrong.details if wrong else ())}
    context: dict[str, Any] = records.record_context(found) | {
        "ways": [
            {
                "channel": channel,
                "label": LABELS[channel],
                "shut": isinstance(verdict, Skip),
                "chosen": channel == chosen,
            }
            | {"until": getattr(verdict, "until", None), "why": getattr(verdict, "reason", "")}
            for channel, verdict in ways.items()
        ],
        "may": bool(open_ones),
        "typed": typed,
        "wrong": details,
        "error": refusals.head(wrong, {"subject": "Subject", "text": "Text", "channel": "By"}),
        "most": single_messages.LONGEST,
        "most_subject": single_messages.LONGEST_SUBJECT,
        "action": frame.record_url(collection, key) + "/write",
        "outbox": frame.with_query("/outbox", {"contact": f"{collection}/{key}"})
        if outbox.may_read(who)
        else "",
    }
    return frame.page("records/write.html", context, status=422 if wrong else 200)


def _ask_for_message(collection: str, key: str, channel: Kind | None, typed: dict[str, str]) -> Kind:
    """Ask for the message; by which channel it leaves. Raises Invalid."""
    if channel is None:
        raise Invalid("Choose by which channel it leaves.", at=("channel", "Choose one."))
    headline = " ".join(typed["subject"].split()) if channel == "email" else ""
    text = typed["text"].replace("\r\n", "\n").strip()
    if wrong := single_messages.wrong_parts(channel, headline, text):
        raise Invalid("The message was not sent.", details=wrong)
    single_messages.ask(
        frame.actor(), single_messages.Asked(collection, key, channel, headline, text, EXPIRES_S)
    )
    return channel


def _came_of(verdict: Verdict) -> str:
    """Return what is told of a message that was asked for just now."""
    if isinstance(verdict, Skip):
        return f"Not sent: {verdict.reason}"
    when = "when the hours allow it" if isinstance(verdict, WaitUntil) else "at once"
    return f"The message leaves {when}. What becomes of it stands under Messages to them."
