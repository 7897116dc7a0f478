"""`/workflows/<slug>/take-out`: what taking many out of a workflow would do, then doing it, and how far it is."""

from typing import Any

from flask import Blueprint, Response, request

from console.automation import enrolments
from console.automation.enrolments import TakeOutPlan, Target, Those, leaving_many
from console.views import frame
from console.views.automation.enrolled import CHANNEL_WORDS, lead_url, wanted_version, workflow_url
from console.views.forms import Field, Form

blueprint = Blueprint("taking_out", __name__, url_prefix="/workflows")

NARROWED = ("step", "status", "version")
STATE_WORDS = {"waiting": "those who wait to begin", "active": "those who have begun"}


@blueprint.route("/<slug>/take-out", methods=["GET", "POST"])
def show(slug: str) -> Response:
    """Show who would be taken out and what would not be done any more; a POST takes them out."""
    who = frame.actor()
    target = enrolments.require_target(who, slug, "cancel")
    those, address = _meant_people(), workflow_url(target.slug)
    form = Form(
        [
            *(Field(name, kind="hidden") for name in NARROWED if getattr(those, name) is not None),
            Field(
                "reason", "Why", hint="Each of them and each run keeps it.", required=True, max_length=2000
            ),
        ],
        {name: getattr(those, name) for name in NARROWED},
        tone="danger",
        action=f"{address}/take-out",
        cancel=f"{address}/enrolled",
        cancel_label="Leave them in",
        css="card pad form",
    )

    def take_out(sent: dict[str, Any]) -> Response:
        begun = enrolments.take_out(who, slug, those, sent["reason"])
        return frame.redirect_to(f"{address}/taken-out/{begun.id}")

    return form.submit_to(take_out) or _drawn(target, those, leaving_many.plan(who, slug, those), form)


@blueprint.route("/<slug>/taken-out/<act_id>", methods=["GET", "POST"])
def follow(slug: str, act_id: str) -> Response:
    """Show how many have left so far; a POST goes on with what has broken off."""
    target = enrolments.require_target(frame.actor(), slug, "cancel")
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


def _drawn(target: Target, those: Those, plan: TakeOutPlan, form: Form) -> Response:
    form.submit = f"Take {plan.total:,} out"
    titles = {} if target.document is None else target.document.step_names
    steps = sorted(
        ((titles.get(step, "A step of an older version"), n) for step, n in plan.steps.items()),
        key=lambda each: -each[1],
    )
    context: dict[str, Any] = {
        "target": target,
        "plan": plan,
        "whom": _whom(those, titles),
        "steps": steps,
        "pending": [(CHANNEL_WORDS.get(channel, channel), n) for channel, n in plan.pending.items()],
        "first": [(lead.title, lead_url(target, lead.id)) for lead in plan.first],
        "form": form,
        "address": workflow_url(target.slug),
    }
    return frame.page("enrolments/take_out.html", context, error=form.error)


def _whom(those: Those, titles: dict[str, str]) -> str:
    """Return who is meant, as the page says it."""
    words = [STATE_WORDS[those.status]] if those.status in STATE_WORDS else []
    words += [f"at the step {titles.get(those.step, 'that you chose')}"] if those.step else []
    words += [f"with version {those.version}"] if those.version is not None else []
    return " ".join(words if those.status else ["those", *words]) if words else "everybody"
