"""`/workflows/<slug>/schedule`: a schedule in words, shown as it was understood with its next times, and added to the draft once it is confirmed."""

import heapq
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from flask import Blueprint, Response, flash, request

from console import log, workflows
from console.core import drafting, schedule, schedule_words
from console.core.documents.schedule_presets import preset_of
from console.core.errors import Conflict, Invalid
from console.views import frame
from console.views.settings.zone_choices import zone_choices
from console.views.workflows import tabs

blueprint = Blueprint("workflow_scheduling", __name__, url_prefix="/workflows")

NEXT = 5

OFTEN = (
    "Every 5 minutes",
    "Every hour",
    "Every day at 9",
    "Every weekday at 9",
    "Every Monday at 9",
    "On the first of every month at 9",
)
"""What most schedules are, in words that are understood."""


@blueprint.route("/<slug>/schedule", methods=["GET", "POST"])
def schedule_page(slug: str) -> Response:
    """Ask for a schedule in words; a POST shows how it is understood, and with `do=add` adds it to the draft."""
    draft = workflows.open_draft(frame.actor(), slug)
    words, zone = (
        request.form.get("words", "").strip(),
        request.form.get("zone", "").strip() or frame.look().zone,
    )
    context: dict[str, Any] = {
        "draft": draft,
        "words": words,
        "zone": zone,
        "wrong": None,
        "sentence": "",
        "next": [],
        "often": OFTEN,
    }
    context |= tabs.context(tabs.known_of(draft.slug), "triggers") | {
        "workflow_title": draft.document.get("title") or draft.slug
    }
    if request.method != "POST":
        return _page(context)
    understood = schedule_words.read_words(words)
    if wrong := schedule.wrong_zone(zone) or understood.wrong:
        return _page(context | {"wrong": wrong}, status=422)
    if request.form.get("do") == "add":
        return _added(draft, understood.crons, zone, context)
    times = heapq.merge(
        *(schedule.coming(cron, zone, log.now(), NEXT) for cron in understood.crons), key=lambda each: each.at
    )
    context |= {"zone": zone, "sentence": _spoken(understood.crons), "next": list(islice(times, NEXT))}
    return _page(context)


def _page(context: Mapping[str, Any], status: int = 200) -> Response:
    return frame.page(
        "editor/schedule.html", {**context, "zones": zone_choices(context["zone"])}, status=status
    )


def _spoken(crons: Sequence[str]) -> str:
    return "; ".join(schedule.spoken(cron) or f"As written: {cron}" for cron in crons)


def _added(draft: workflows.Draft, crons: Sequence[str], zone: str, context: dict[str, Any]) -> Response:
    """The draft with the schedule as a trigger, or one for each time of the day that has other minutes."""
    said = [
        {"preset": preset} if (preset := preset_of(cron)) is not None else {"cron": cron} for cron in crons
    ]
    added = [
        drafting.AddTrigger(trigger={"kind": "schedule", **each, "zone": zone}, place=None) for each in said
    ]
    try:
        workflows.edit(frame.actor(), draft.slug, draft.revision, added)
    except (Conflict, Invalid) as wrong:
        return _page(context | {"wrong": wrong.message}, status=wrong.status)
    flash(f"Added to the draft: {_spoken(crons)}. It begins when the draft is published.")
    return frame.redirect_to(f"/workflows/{draft.slug}/edit")
