"""`/outbox`: every message that left, waits, was skipped or failed, with why; and in the sandbox, choosing how one ends."""

from collections.abc import Sequence
from urllib.parse import quote

from flask import Blueprint, Response, flash, request

from console import access, messages, workflows
from console.channels import sandbox
from console.core.contacting import KINDS
from console.core.stop_words import is_stop
from console.errors import Conflict, Malformed
from console.messages import Line, OutboxQuery, callbacks, channel_settings, outbox, outside_addresses
from console.views import frame

blueprint = Blueprint("outbox", __name__)

PAGE_SIZE = 25
KIND_WORDS = {"email": "E-mail", "sms": "SMS", "call": "Call", "chat": "Chat"}
ICONS = {"email": "mail", "sms": "message", "call": "phone", "chat": "message"}
STATUS_WORDS = {
    "waiting": ("Waiting", "warn"), "sent": ("Sent", ""), "delivered": ("Delivered", "good"), "skipped": ("Not sent", ""), "expired": ("Waited too long", "warn"),
    "failed": ("Failed", "bad"), "received": ("Received", "info"), "unknown": ("Unclear", "bad"), "cancelled": ("Cancelled", ""),
}  # fmt: skip
OUTCOME_WORDS = {
    "answered": "Answered", "no_answer": "Nobody answered", "voicemail": "Voicemail", "busy": "Busy", "failed": "Failed", "delivered": "Delivered",
}  # fmt: skip
LABELS = {"channel": "Channel", "status": "Status", "workflow": "Workflow", "contact": "Contact", "run": "Run"}


@blueprint.get("/outbox")
def show() -> Response:
    """Show the messages that the reader may see, newest first. The filters are in the address."""
    held = {name: request.args.get(name, "") for name in LABELS}
    wrong = ""
    try:
        page = messages.find(frame.actor(), OutboxQuery(**held, limit=PAGE_SIZE, after=request.args.get("after") or None))
    except Malformed as error:
        wrong, held = error.message, dict.fromkeys(LABELS, "")
        page = messages.find(frame.actor(), OutboxQuery(limit=PAGE_SIZE))
    context = {
        "lines": page.lines,
        "down": page.down,
        "next": frame.present_address(after=page.next) if page.next else None,
        "first": frame.present_address(after=None) if request.args.get("after") else None,
        "held": held,
        "chips": [
            (
                LABELS[name],
                _named(page.lines) if name == "contact" and page.lines else _words(name, value),
                frame.present_address(**{name: None, "after": None}),
            )
            for name, value in held.items()
            if value
        ],
        "wrong": wrong,
        "kinds": [(kind, KIND_WORDS[kind]) for kind in KINDS],
        "statuses": [(name, STATUS_WORDS[name][0]) for name in outbox.STATUSES],
        "workflows": sorted((workflow.title, workflow.slug) for workflow in workflows.all_known() if workflow.slug in _of_reader()),
        "words": (KIND_WORDS, STATUS_WORDS, OUTCOME_WORDS),
        "outcomes": sandbox.OUTCOMES,
        "can_answer": callbacks.can_answer,
        "unsubscribe_path": lambda message: f"/unsubscribe/{outside_addresses.unsubscribe_token(message)}",
        "manages": access.can(frame.actor(), None, "source", "manage"),
        "sandboxed": _sandboxed(),
    }
    return frame.page("outbox/page.html", context, blocks={"messages": "messages"}, status=400 if wrong else 200)


def _of_reader() -> set[str]:
    actor = frame.actor()
    return {workflow.slug for workflow in workflows.all_known() if access.can(actor, None, f"workflow:{workflow.slug}", "see")}


def _named(lines: Sequence[Line]) -> str:
    """Return the name of the contact whose messages these are."""
    return next((line.who for line in lines if line.who), "one contact")


def _words(name: str, value: str) -> str:
    if name == "channel":
        return KIND_WORDS.get(value, value)
    if name == "status":
        return STATUS_WORDS.get(value, (value, ""))[0]
    if name == "workflow":
        return next((workflow.title for workflow in workflows.all_known() if workflow.slug == value), value)
    return value if name == "run" else value.rpartition("/")[2]


@blueprint.post("/outbox/<message_id>/outcome")
def choose(message_id: str) -> Response:
    """Choose in the sandbox how a message ends."""
    line = messages.by_id(frame.actor(), message_id)
    access.require(frame.actor(), None, "source", "manage")
    if not line.message.sandbox or not callbacks.chosen_by_hand(line.message, request.form):
        raise Conflict("It has ended already, or it really left: nothing is chosen for it.", code="not_possible")
    flash("Chosen; its run goes on")
    return frame.redirect_to("/outbox")


@blueprint.post("/outbox/<message_id>/answer")
def answer(message_id: str) -> Response:
    """Answer in the sandbox as the person whom the message reached would."""
    line = messages.by_id(frame.actor(), message_id)
    access.require(frame.actor(), None, "source", "manage")
    came = callbacks.answered_by_hand(line.message, request.form.get("text", ""))
    if came is None:
        raise Conflict("It did not reach anybody, or it really left: nobody answers it here.", code="not_possible")
    ended = is_stop(request.form.get("text", ""))
    flash("Their answer came in. It says stop: their consent is gone at once" if ended else "Their answer came in")
    return frame.redirect_to(f"/outbox?contact={quote(f'{line.message.collection}/{line.message.record}', safe='')}")


def _sandboxed() -> str:
    """Return what is not really sent, in words; empty where everything leaves."""
    kinds = channel_settings.in_the_sandbox()
    return "messages" if len(kinds) == len(KINDS) else " and ".join(", ".join(kinds).rsplit(", ", 1))


@blueprint.app_context_processor
def _sandbox() -> dict[str, object]:
    """For the banner of every page."""
    return {"sandbox_on": channel_settings.any_sandbox, "reads_outbox": lambda: outbox.may_read(frame.actor())}
