"""`/outbox`: every message that left, waits, was skipped or failed, with why; and in the sandbox, choosing how one ends."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, flash, request

from console import browse, workflows
from console.auth import access
from console.automation import enrolments
from console.core.contacting import KINDS
from console.core.errors import Conflict, Malformed
from console.core.stop_words import is_stop
from console.messaging import messages
from console.messaging.channels import sandbox
from console.messaging.messages import (
    Line,
    OutboxQuery,
    callbacks,
    channel_settings,
    inbound,
    outbox,
    outside_addresses,
)
from console.views import formats, frame

blueprint = Blueprint("outbox", __name__)

PAGE_SIZE = 25
KIND_WORDS = {"email": "E-mail", "sms": "SMS", "call": "Call", "chat": "Chat"}
ICONS = {"email": "mail", "sms": "message", "call": "phone", "chat": "message"}
STATUS_WORDS = {
    "waiting": ("Waiting", "warn"),
    "sent": ("Sent", ""),
    "delivered": ("Delivered", "good"),
    "skipped": ("Not sent", ""),
    "expired": ("Waited too long", "warn"),
    "failed": ("Failed", "bad"),
    "received": ("Received", "info"),
    "unknown": ("Unclear", "bad"),
    "cancelled": ("Cancelled", ""),
}
OUTCOME_WORDS = {
    "answered": "Answered",
    "no_answer": "Nobody answered",
    "voicemail": "Voicemail",
    "busy": "Busy",
    "failed": "Failed",
    "delivered": "Delivered",
}
LABELS = {
    "channel": "Channel",
    "status": "Status",
    "workflow": "Workflow",
    "contact": "Contact",
    "run": "Run",
    "from": "From",
    "to": "To",
}


@blueprint.get("/outbox")
def show() -> Response:
    """Show the messages that the reader may see, newest first. The filters are in the address."""
    held = {name: request.args.get(name, "") for name in LABELS}
    wrong = ""
    try:
        page = messages.find(frame.actor(), _query(held))
    except Malformed as error:
        wrong, held = error.message, dict.fromkeys(LABELS, "")
        page = messages.find(frame.actor(), OutboxQuery(limit=PAGE_SIZE))
    context = {
        "lines": page.lines,
        "down": page.down,
        **frame.page_places(page.next, request.args.get("after")),
        "held": held,
        "chips": frame.filter_chips(
            {
                name: f"{LABELS[name]}: {_words(name, value, page.lines)}"
                for name, value in held.items()
                if value
            }
        ),
        "wrong": wrong,
        "kinds": [(kind, KIND_WORDS[kind]) for kind in KINDS],
        "several": _words("status", held["status"], ()),
        "statuses": [(name, STATUS_WORDS[name][0]) for name in outbox.STATUSES],
        "workflows": sorted((each.title, each.slug) for each in _seen()),
        "words": (KIND_WORDS, STATUS_WORDS, OUTCOME_WORDS),
        "outcomes": sandbox.OUTCOMES,
        "can_answer": callbacks.can_answer,
        "unsubscribe_path": lambda message: f"/unsubscribe/{outside_addresses.unsubscribe_token(message)}",
        "sorting": held["contact"] == outbox.UNKNOWN and access.can(frame.actor(), None, "source", "manage"),
        "manages": access.can(frame.actor(), None, "source", "manage"),
        "sandboxed": _sandboxed(),
        "slugs": {each.id: each.slug for each in _seen()},
        "leads": enrolments.leads_of([line.message.run for line in page.lines if line.message.run]),
    }
    return frame.page(
        "outbox/page.html", context, blocks={"messages": "messages"}, status=400 if wrong else 200
    )


def _seen() -> list[workflows.Known]:
    """The workflows that the reader may see, each in its own team."""
    return [
        each
        for each in workflows.all_known()
        if access.can(frame.actor(), each.team or None, f"workflow:{each.slug}", "see")
    ]


def _query(held: Mapping[str, str]) -> OutboxQuery:
    """Return the filters of the address: days become moments of the reader's zone. Raises Malformed for what is no day."""
    given: dict[str, Any] = {name: value for name, value in held.items() if name not in ("from", "to")}
    given |= {"since": frame.midnight(held, "from"), "before": frame.midnight(held, "to", later=1)}
    limit = outbox.MOST if held["contact"] == outbox.UNKNOWN else PAGE_SIZE
    return OutboxQuery(**given, limit=limit, after=request.args.get("after") or None)


def _words(name: str, value: str, lines: Sequence[Line]) -> str:
    if name == "channel":
        return KIND_WORDS.get(value, value)
    if name == "status":
        return " or ".join(STATUS_WORDS.get(each, (each, ""))[0] for each in value.split(","))
    if name == "workflow":
        return next((workflow.title for workflow in _seen() if workflow.slug == value), value)
    if name in ("from", "to"):
        return formats.text(formats.Kind("", "", "datetime" if "T" in value else "date"), value, frame.look())
    if value == outbox.UNKNOWN:
        return "Unknown senders"
    collection, _, key = value.partition("/")
    named = browse.names_of(frame.actor(), [(collection, key)]) if name == "contact" and key else {}
    titles = [*(each.title for each in named.values()), *(line.who for line in lines if line.who)]
    return next(iter(titles), "one contact" if name == "contact" else "one run")


@blueprint.post("/outbox/strangers")
def sort() -> Response:
    """Put messages of unknown senders aside, or give them to the contacts who have their addresses by now."""
    chosen, who = request.form.getlist("message"), frame.actor()
    if request.form.get("act") == "match":
        given = inbound.match(who, chosen)
        left = f", {len(chosen) - given} not: no contact has their address" if given < len(chosen) else ""
        said = f"{given} given to their contacts{left}"
    else:
        said = f"{inbound.put_aside(who, chosen)} put aside"
    flash(said if chosen else "Choose messages first")
    return frame.redirect_to("/outbox?contact=unknown")


@blueprint.post("/outbox/<message_id>/outcome")
def choose(message_id: str) -> Response:
    """Choose in the sandbox how a message ends."""
    line = messages.by_id(frame.actor(), message_id)
    access.require(frame.actor(), None, "source", "manage")
    if not line.message.sandbox or not callbacks.chosen_by_hand(frame.actor(), line.message, request.form):
        raise Conflict(
            "It has ended already, or it really left: nothing is chosen for it.", code="not_possible"
        )
    flash("Chosen; its run goes on")
    return frame.redirect_to("/outbox")


@blueprint.post("/outbox/<message_id>/answer")
def answer(message_id: str) -> Response:
    """Answer in the sandbox as the person whom the message reached would."""
    line = messages.by_id(frame.actor(), message_id)
    access.require(frame.actor(), None, "source", "manage")
    came = callbacks.answered_by_hand(frame.actor(), line.message, request.form.get("text", ""))
    if came is None:
        raise Conflict(
            "It did not reach anybody, or it really left: nobody answers it here.", code="not_possible"
        )
    ended = is_stop(request.form.get("text", ""))
    flash(
        "Their answer came in. It says stop: their consent is gone at once"
        if ended
        else "Their answer came in"
    )
    return frame.redirect_to(
        f"/outbox?contact={quote(f'{line.message.collection}/{line.message.record}', safe='')}"
    )


def _sandboxed() -> str:
    """Return what is not really sent, in words; empty where everything leaves."""
    kinds = channel_settings.in_the_sandbox()
    return "messages" if len(kinds) == len(KINDS) else " and ".join(", ".join(kinds).rsplit(", ", 1))


@blueprint.app_context_processor
def _sandbox() -> dict[str, object]:
    """For the banner of every page."""
    return {"sandbox_on": _sandboxed}
