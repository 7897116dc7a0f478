"""`/workflows/<slug>/schedule`: a schedule in words, shown as it was understood with its next times, and added to the draft once it is confirmed."""

from typing import Any

from flask import Blueprint, Response, flash, request

from console import log, workflows
from console.core import drafting, schedule, schedule_words
from console.errors import Conflict, Invalid
from console.views import frame
from console.views.workflows import tabs

blueprint = Blueprint("workflow_scheduling", __name__, url_prefix="/workflows")

NEXT = 5
NOT_UNDERSTOOD = "This was not understood. Say how often and when, such as: every weekday at nine, on Mondays at 17:30, every 15 minutes."


@blueprint.route("/<slug>/schedule", methods=["GET", "POST"])
def schedule_page(slug: str) -> Response:
    """Ask for a schedule in words; a POST shows how it is understood, and with `do=add` adds it to the draft."""
    draft = workflows.open_draft(frame.actor(), slug)
    words, zone = request.form.get("words", "").strip(), request.form.get("zone", "").strip() or frame.look().zone
    context: dict[str, Any] = {
        "draft": draft,
        "words": words,
        "zone": zone,
        "wrong": None,
        "cron": "",
        "sentence": "",
        "next": [],
        "notes": (),
    }
    context |= tabs.context(tabs.known_of(draft.slug), "triggers") | {"workflow_title": draft.document.get("title") or draft.slug}
    if request.method != "POST":
        return frame.page("editor/schedule.html", context)
    understood = schedule_words.read_words(words)
    context["wrong"] = schedule.wrong_zone(zone) or (NOT_UNDERSTOOD if understood is None else None)
    if understood is None or context["wrong"]:
        return frame.page("editor/schedule.html", context, status=422)
    if request.form.get("do") == "add":
        return _added(draft, understood.cron, zone, context)
    times = schedule.following(understood.cron, zone, log.now(), NEXT)
    context |= {"cron": understood.cron, "sentence": schedule.spoken(understood.cron), "next": times, "notes": understood.notes}
    return frame.page("editor/schedule.html", context)


def _added(draft: workflows.Draft, cron: str, zone: str, context: dict[str, Any]) -> Response:
    """The draft with the schedule as a trigger."""
    trigger = {"kind": "schedule", "cron": cron, "zone": zone}
    try:
        workflows.edit(frame.actor(), draft.slug, draft.revision, [drafting.AddTrigger(trigger=trigger, place=None)])
    except (Conflict, Invalid) as wrong:
        return frame.page("editor/schedule.html", context | {"wrong": wrong.message}, status=wrong.status)
    flash(f"Added to the draft: {schedule.spoken(cron)}. It begins when the draft is published.")
    return frame.redirect_to(f"/workflows/{draft.slug}/edit")
