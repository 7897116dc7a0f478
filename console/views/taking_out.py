"""`/workflows/<slug>/take-out`: what taking many out of a workflow would do, then doing it, and how far it is."""

from typing import Any

from flask import Blueprint, Response, request

from console import enrolments
from console.enrolments import TakeOutPlan, Target, Those, leaving_many
from console.errors import Conflict, ConsoleError, Invalid
from console.views import frame, refusals
from console.views.enrolled import CHANNEL_WORDS, lead_url, wanted_version, workflow_url

blueprint = Blueprint("taking_out", __name__, url_prefix="/workflows")

STATE_WORDS = {"waiting": "those who wait to begin", "active": "those who have begun"}


@blueprint.route("/<slug>/take-out", methods=["GET", "POST"])
def show(slug: str) -> Response:
    """Show who would be taken out and what would not be done any more; a POST takes them out."""
    who = frame.actor()
    target = enrolments.seen(who, slug, "cancel")
    those, wrong = _meant_people(), None
    if request.method == "POST":
        try:
            begun = enrolments.take_out(who, slug, those, request.form.get("reason", ""))
            return frame.redirect_to(f"{workflow_url(target.slug)}/taken-out/{begun.id}")
        except (Invalid, Conflict) as refused:
            wrong = refused
    return _drawn(target, those, leaving_many.plan(who, slug, those), wrong)


@blueprint.route("/<slug>/taken-out/<act_id>", methods=["GET", "POST"])
def follow(slug: str, act_id: str) -> Response:
    """Show how many have left so far; a POST goes on with what has broken off."""
    target = enrolments.seen(frame.actor(), slug, "cancel")
    if request.method == "POST":
        leaving_many.resume(frame.actor(), slug, act_id)
        return frame.redirect_to(f"{workflow_url(target.slug)}/taken-out/{act_id}")
    act = leaving_many.of_workflow(frame.actor(), slug, act_id)
    if (answer := frame.poll_answer(act)) is not None:
        return answer
    address = workflow_url(target.slug)
    context = {"target": target, "act": act, "address": address, "url": f"{address}/taken-out/{act.id}"}
    return frame.page("enrolments/taken_out.html", context, blocks={"*": "progress"})


def _meant_people() -> Those:
    """Return who is meant. Raises Malformed."""
    given = request.values
    return Those(given.get("step") or None, given.get("status") or None, wanted_version())


def _drawn(target: Target, those: Those, plan: TakeOutPlan, wrong: ConsoleError | None) -> Response:
    titles = {} if target.document is None else target.document.step_names
    steps = sorted(((titles.get(step, "A step of an older version"), n) for step, n in plan.steps.items()), key=lambda each: -each[1])
    context: dict[str, Any] = {
        "target": target,
        "those": those,
        "plan": plan,
        "whom": _whom(those, titles),
        "steps": steps,
        "pending": [(CHANNEL_WORDS.get(channel, channel), n) for channel, n in plan.pending.items()],
        "first": [(lead.title, lead_url(target, lead.id)) for lead in plan.first],
        "typed": request.form.get("reason", ""),
        "error": refusals.first_reason(wrong),
        "address": workflow_url(target.slug),
    }
    return frame.page("enrolments/take_out.html", context, status=wrong.status if wrong else 200)


def _whom(those: Those, titles: dict[str, str]) -> str:
    """Return who is meant, as the page says it."""
    words = [STATE_WORDS[those.status]] if those.status in STATE_WORDS else []
    words += [f"at the step {titles.get(those.step, 'that you chose')}"] if those.step else []
    words += [f"with version {those.version}"] if those.version is not None else []
    return " ".join(words if those.status else ["those", *words]) if words else "everybody"
