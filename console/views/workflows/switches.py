"""`/workflows/<slug>/switch`: what another status would do, then doing it."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from flask import Blueprint, Response, flash, request

from console import monitoring, workflows
from console.auth import access, accounts
from console.automation import enrolments
from console.core.actor import Actor
from console.core.errors import ConsoleError, NotFound
from console.messaging.messages import contact_trials
from console.views import frame, refusals
from console.views.workflows import tabs
from console.views.workflows.switch_turns import TURNS, Turn, turns
from console.workflows import OBJECT, Known, lifecycle

blueprint = Blueprint("workflow_switches", __name__)


RESUMES = (
    "Runs start from now on, and those that are in it go on. What happened during the pause started none, and starts none now: "
    "whom a schedule, an event or a webhook would have let in then can be enrolled or started by hand."
)


@blueprint.route("/workflows/<slug>/switch", methods=["GET", "POST"])
def switch(slug: str) -> Response:
    """Show what the status `to` would do; a POST does it."""
    known = tabs.known_of(slug)
    turn = TURNS.get(request.values.get("to", ""))
    if turn is None:
        raise NotFound
    who = frame.actor()
    access.require(who, known.team or None, f"{OBJECT}:{known.slug}", "activate")
    if request.method != "POST":
        return _dialog(who, known, turn)
    reason = request.form.get("reason", "")
    try:
        if turn.to == "archived":
            workflows.archive(who, known.id)
        elif turn.to == "deleted":
            workflows.remove(who, known.id)
            flash(f"{known.title} {turn.done}")
            return frame.redirect_to("/workflows")
        else:
            if turn.to == "active" and known.status != "paused":
                monitoring.require_filled(who, known.id, leave_out="leave_out" in request.form)
            workflows.change(who, known.id, status=turn.to, reason=reason)
    except ConsoleError as wrong:
        return _dialog(who, known, turn, wrong, reason)
    flash(f"{known.title} {turn.done}")
    return frame.redirect_to(_where_pressed(known))


def _dialog(
    who: Actor, known: Known, turn: Turn, wrong: ConsoleError | None = None, reason: str = ""
) -> Response:
    by_field = refusals.reasons_by_field(wrong)
    resumes = turn.to == "active" and known.status == "paused"
    context: dict[str, Any] = {
        "known": known,
        "turn": turn,
        "title": "Resume" if resumes else turn.label,
        "gist": RESUMES if resumes else turn.gist,
        "paused_by": _paused_by(who, known) if resumes else None,
        "action": tabs.address(known.slug, "/switch"),
        "back": _where_pressed(known),
        "reason": reason,
        "reason_error": by_field.get("reason"),
        "error": wrong.message if wrong and "reason" not in by_field else None,
        "wrong": [str(detail.get("reason")) for detail in wrong.details]
        if wrong and "reason" not in by_field
        else [],
        "activation": monitoring.activation(who, known.id) if turn.to == "active" else None,
        "found": monitoring.trial(who, known.id) if turn.to == "active" else None,
        "cancellation": monitoring.cancellation(who, known.id)
        if turn.to in ("cancelled", "completed", "paused", "archived")
        else None,
        "unbegun": enrolments.counts_for(who, known.id, known.collection).waiting
        if known.live is not None
        else 0,
        "outside": _reached_outside(known),
        "not_offered": "" if wrong or turn in turns(known) else _why_not(known, turn),
        "address": tabs.address,
    }
    return frame.page("workflows/switch.html", context, blocks={"*": "dialog"}, error=wrong)


def _where_pressed(known: Known) -> str:
    """The page on which the switch was pressed, the list or one of the workflow; else its picture."""
    there, own = urlsplit(frame.htmx.current_url or request.referrer or ""), tabs.address(known.slug)
    stays = there.path == "/workflows" or (there.path.startswith(f"{own}/") and there.path != f"{own}/switch")
    return urlunsplit(("", "", there.path, there.query, "")) if stays else own


def _paused_by(who: Actor, known: Known) -> tuple[str, str]:
    """Who paused it, and why as far as they said: it may be another lead, who does not want it to go on yet."""
    by = next(
        (each.by for each in lifecycle.switches(known.id)[-1:] if each.by and each.status == "paused"), ""
    )
    return accounts.names({by}).get(by, "Somebody"), workflows.entry(who, known.id).status_reason or ""


def _reached_outside(known: Known) -> str:
    """Return what its steps do to people outside, in words; empty where none writes to or calls anybody."""
    if known.live is None:
        return ""
    steps = contact_trials.message_steps(workflows.version(known.id, known.live).document, chats=True)
    kinds = {contact_trials.kind_of(step).channel for step in steps}
    return " and ".join(
        words for words, found in (("written to", kinds - {"call"}), ("called", kinds & {"call"})) if found
    )


def _why_not(known: Known, turn: Turn) -> str:
    """Return why this turn is none of those that its status allows."""
    if turn.to == "deleted":
        return "It was published, so it stays with its runs. Archive it instead."
    return f"It is {'archived' if known.archived else tabs.STATUS[known.status].label.lower()} now, so there is nothing to {turn.label.lower()}."
