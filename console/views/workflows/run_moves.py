"""`/workflows/<slug>/move`: live runs of one version moved to another: where they go on by step, what cannot be moved and why, then the moves."""

from typing import Any

from flask import Blueprint, Response, flash, request

from console import runs, workflows
from console.auth import access
from console.authoring import publication
from console.authoring.publication import MovePlan
from console.core.errors import Conflict, ConsoleError, Invalid, NotFound
from console.views import frame
from console.views.workflows import tabs

blueprint = Blueprint("run_moves", __name__, url_prefix="/workflows")

SHOWN = 200
"""Runs that can be chosen one by one, the oldest first."""


@blueprint.route("/<slug>/move", methods=["GET", "POST"])
def show(slug: str) -> Response:
    """Show what moving runs would do; a POST with `do=move` moves them."""
    who = frame.actor()
    known = tabs.known_of(slug)
    access.require(who, known.team or None, f"{workflows.OBJECT}:{known.slug}", "publish")
    if known.live is None:
        raise NotFound
    there = [
        (version, live) for version, live, _ in runs.live_versions(who, known.id) if version != known.live
    ]
    former = request.values.get("from", there[-1][0] if there else 0, type=int)
    new = request.values.get("to", known.live, type=int)
    if former < 1 or new < 1 or former == new:
        return _drawn(known, there, None)
    steps = {
        name.removeprefix("step."): target
        for name, target in request.values.items()
        if name.startswith("step.") and target
    }
    wrong: ConsoleError | None = None
    if request.method == "POST" and request.form.get("do") == "move":
        chosen = request.form.getlist("run") if request.form.get("some") else None
        try:
            begun = publication.move_runs(
                who, known.id, former, new, steps=steps, reason=request.form.get("reason", ""), chosen=chosen
            )
        except (Conflict, Invalid) as refused:
            wrong = refused
        else:
            flash(f"{begun.moved} moved." if begun.status == "done" else "The runs are being moved.")
            return frame.redirect_to(f"{tabs.address(known.slug)}/moves/{begun.id}")
    try:
        plan = publication.plan_move(who, known.id, former, new, steps)
    except Invalid as refused:
        wrong, plan = refused, publication.plan_move(who, known.id, former, new)
    return _drawn(known, there, plan, wrong)


@blueprint.get("/<slug>/moves/<move_id>")
def show_move(slug: str, move_id: str) -> Response:
    """Show how far a move is, and why runs were not moved."""
    known = tabs.known_of(slug)
    move = publication.move_of(frame.actor(), known.id, move_id)
    if (answer := frame.poll_answer(move)) is not None:
        return answer
    reasons: dict[str, list[str]] = {}
    for run, why in move.refused.items():
        reasons.setdefault(why, []).append(run)
    back = tabs.address(known.slug)
    context = {
        "known": known,
        "move": move,
        "reasons": list(reasons.items()),
        "back": back,
        "url": f"{back}/moves/{move.id}",
    }
    return frame.page("workflows/moved.html", context, blocks={"*": "progress"})


def _drawn(
    known: workflows.Known,
    there: list[tuple[int, int]],
    plan: MovePlan | None,
    wrong: ConsoleError | None = None,
) -> Response:
    targets = [step for step in plan.new.document.steps if step.type != "start"] if plan else []
    movable = plan.movable[:SHOWN] if plan else []
    titles = plan.former.document.step_names if plan else {}
    names = publication.run_titles(frame.actor(), movable)
    context: dict[str, Any] = {
        "known": known,
        "there": there,
        "plan": plan,
        "targets": targets,
        "movable": len(plan.movable) if plan else 0,
        "unchosen": sum(each.movable for each in plan.steps if each.target is None) if plan else 0,
        "listed": [
            (each.run, names.get(each.run) or "A run without a record", titles.get(each.step, ""))
            for each in movable
        ],
        "reason": request.form.get("reason", ""),
        "back": tabs.address(known.slug),
        "wrong": wrong,
    }
    return frame.page("workflows/move.html", context, error=wrong)
