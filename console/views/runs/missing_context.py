"""Supply the context that a step handled manually left out: a form in the dialog, or on its own page."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, make_response, request

from console import runs
from console.core.errors import Conflict, Invalid
from console.runs import RunView
from console.views import frame
from console.views.runs import form_boxes, page, runner

blueprint = Blueprint("supplying", __name__, url_prefix="/runs")

TEMPLATE = "runner/supply.html"


@blueprint.get("/<run_id>/supply")
def ask(run_id: str) -> Response:
    """Show the missing fields of the step."""
    return _dialog(runs.get(frame.actor(), run_id, shown=False), request.args.get("step", ""))


@blueprint.post("/<run_id>/supply")
def supply(run_id: str) -> Response:
    """Add the values to the context and ask for a proposal again."""
    actor, step = frame.actor(), request.form.get("target", "")
    values = {
        name: value
        for name, value in form_boxes.read_form(request.form, frame.look()).items()
        if value not in (None, "", [])
    }
    try:
        runs.supply(
            actor,
            run_id,
            revision=request.form.get("revision", type=int, default=-1),
            step=step,
            values=values,
        )
    except Invalid as wrong:
        view = runs.get(actor, run_id, shown=False)
        return _dialog(view, step, typed=values, errors=wrong.details, error=wrong.message, status=422)
    except Conflict as conflict:
        return _dialog(
            runs.get(actor, run_id, shown=False), step, typed=values, error=conflict.message, status=409
        )
    if not frame.wants_fragment():
        return frame.redirect_to(frame.run_url(run_id))
    return runner.run_response(runs.get(actor, run_id), toast="Supplied. Later steps have it now.")


def _dialog(
    view: RunView,
    step: str,
    *,
    typed: Mapping[str, Any] | None = None,
    errors: Sequence[Mapping[str, Any]] = (),
    error: str = "",
    status: int = 200,
) -> Response:
    fields = [field.to_json() for field in runs.supply_form(frame.actor(), view.json["id"], step)]
    screen = {"fields": [{**field, "required": False} for field in fields]}
    named = {str(error.get("field")) for error in errors} & {field["name"] for field in fields}
    title = next((attempt["title"] for attempt in view.json["attempts"] if attempt["step"] == step), step)
    context = page.run_context(view) | {
        "target": step,
        "target_title": title,
        "boxes": [
            replace(box, id=f"supplied-{box.id}")
            for box in form_boxes.boxes(screen, frame.look(), typed=typed, errors=errors)
        ],
        "error": "" if named else error,
    }
    answer = frame.page(TEMPLATE, context, blocks={"*": "dialog"}, status=status)
    if frame.wants_fragment() and request.method == "POST":
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#dialog", "innerHTML"
    return make_response(answer)
