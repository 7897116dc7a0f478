"""Runs as JSON: start, read, every command, events and replay. The same service functions as the pages."""

from typing import Any

from flask import Blueprint, g, jsonify, request
from flask.typing import ResponseReturnValue

from console import runs
from console.errors import Invalid, Malformed
from console.log import body as canonical
from console.views.api import body, limit_of, listing

blueprint = Blueprint("api_runs", __name__, url_prefix="/api/v1")

KNOWN = {
    "start": {"workflow", "collection", "record", "input"},
    "complete": {"step", "revision", "values", "outcome", "handled_manually", "reason"},
    "draft": {"step", "revision", "values"},
    "revise": {"revision", "step", "attempt", "reason"},
    "settle": {"revision", "effect", "result", "reason"},
}


def _sent(what: str, *more: str) -> dict[str, Any]:
    """The body, with nothing in it that the call does not know: a typing error is never silently nothing."""
    sent = body()
    unknown = sorted(set(sent) - KNOWN.get(what, {"revision", *more}))
    if unknown:
        raise Invalid(f"The call takes no {unknown[0]}.", details=[{"field": name, "reason": "Not known here."} for name in unknown])
    return sent


def _text(sent: dict[str, Any], name: str, *, needed: bool = False) -> str | None:
    value = sent.get(name)
    if value is None and not needed:
        return None
    if not isinstance(value, str) or not value:
        raise Invalid(f"{name} is needed, as text.", details=[{"field": name, "reason": "A text."}])
    return value


def _revision(sent: dict[str, Any]) -> int:
    value = sent.get("revision")
    if not isinstance(value, int) or isinstance(value, bool):
        raise Invalid("revision is needed: the run's, as it was read.", details=[{"field": "revision", "reason": "A whole number."}])
    return value


def _object(sent: dict[str, Any], name: str) -> dict[str, Any]:
    value = sent.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Invalid(f"{name} is an object of values.", details=[{"field": name, "reason": "An object."}])
    return value


def _run(run_id: str, status: int = 200) -> ResponseReturnValue:
    """The run as it stands next, for whoever acted."""
    return jsonify(runs.get(g.actor, run_id).json), status


@blueprint.post("/runs")
def start() -> ResponseReturnValue:
    """Begin a run; 409 with `run_id` when one is live on the record."""
    sent = _sent("start")
    run_id = runs.start(
        g.actor, _text(sent, "workflow", needed=True) or "", _text(sent, "collection"), _text(sent, "record"), _object(sent, "input")
    )
    return _run(run_id, 201)


@blueprint.get("/runs")
def find() -> ResponseReturnValue:
    """Runs that the caller may see, newest first."""
    filters = {name: value for name, value in request.args.items() if name not in ("limit", "after")}
    heads, following = runs.find(g.actor, filters, limit=limit_of(request.args), after=request.args.get("after"))
    return jsonify(listing([head.to_json() for head in heads], following))


@blueprint.get("/runs/<run_id>")
def one(run_id: str) -> ResponseReturnValue:
    """The run as the caller may see it."""
    return _run(run_id)


@blueprint.post("/runs/<run_id>/complete")
def complete(run_id: str) -> ResponseReturnValue:
    """Hand in the step that the run stands at."""
    sent = _sent("complete")
    manually = sent.get("handled_manually", False)
    if not isinstance(manually, bool):
        raise Invalid("handled_manually is true or false.", details=[{"field": "handled_manually", "reason": "true or false."}])
    reason = sent.get("reason") or ""
    if not isinstance(reason, str):
        raise Invalid("reason is a text.", details=[{"field": "reason", "reason": "A text."}])
    view = runs.complete_and_look(
        g.actor,
        run_id,
        step=_text(sent, "step", needed=True) or "",
        revision=_revision(sent),
        values=_object(sent, "values"),
        outcome=_text(sent, "outcome"),
        handled_manually=manually,
        reason=reason,
    )
    return jsonify(view.json)


@blueprint.post("/runs/<run_id>/draft")
def draft(run_id: str) -> ResponseReturnValue:
    """Keep half-typed values."""
    sent = _sent("draft")
    saved_at = runs.draft(
        g.actor, run_id, step=_text(sent, "step", needed=True) or "", revision=_revision(sent), values=_object(sent, "values")
    )
    return jsonify(saved_at=canonical.moment(saved_at))


@blueprint.post("/runs/<run_id>/save")
def save(run_id: str) -> ResponseReturnValue:
    """Put the run aside."""
    runs.save(g.actor, run_id, revision=_revision(_sent("save")))
    return _run(run_id)


@blueprint.post("/runs/<run_id>/resume")
def resume(run_id: str) -> ResponseReturnValue:
    """Take a saved run up again."""
    runs.resume(g.actor, run_id, revision=_revision(_sent("resume")))
    return _run(run_id)


@blueprint.post("/runs/<run_id>/take-over")
def take_over(run_id: str) -> ResponseReturnValue:
    """Become the holder."""
    runs.take_over(g.actor, run_id, revision=_revision(_sent("take-over")))
    return _run(run_id)


@blueprint.post("/runs/<run_id>/release")
def release(run_id: str) -> ResponseReturnValue:
    """Let the run go."""
    runs.release(g.actor, run_id, revision=_revision(_sent("release")))
    return _run(run_id)


@blueprint.post("/runs/<run_id>/retry")
def retry(run_id: str) -> ResponseReturnValue:
    """Begin the open step anew."""
    runs.retry(g.actor, run_id, revision=_revision(_sent("retry")))
    return _run(run_id)


def _reason(sent: dict[str, Any]) -> str:
    reason = sent.get("reason")
    if reason is not None and not isinstance(reason, str):
        raise Invalid("reason is a text.", details=[{"field": "reason", "reason": "A text."}])
    return reason or ""


@blueprint.post("/runs/<run_id>/abort")
def abort(run_id: str) -> ResponseReturnValue:
    """Break the run off, with a reason."""
    sent = _sent("abort", "reason")
    runs.abort(g.actor, run_id, revision=_revision(sent), reason=_reason(sent))
    return _run(run_id)


@blueprint.post("/runs/<run_id>/cancel")
def cancel(run_id: str) -> ResponseReturnValue:
    """End the run from outside, with a reason."""
    sent = _sent("cancel", "reason")
    runs.cancel(g.actor, run_id, revision=_revision(sent), reason=_reason(sent))
    return _run(run_id)


@blueprint.post("/runs/<run_id>/revise")
def revise(run_id: str) -> ResponseReturnValue:
    """Send the run back to a completed step, with a reason."""
    sent = _sent("revise")
    step, attempt = _text(sent, "step", needed=True) or "", sent.get("attempt")
    if attempt is not None and (not isinstance(attempt, int) or isinstance(attempt, bool)):
        raise Invalid("attempt is a whole number.", details=[{"field": "attempt", "reason": "A whole number."}])
    runs.revise(g.actor, run_id, revision=_revision(sent), step=step, attempt=attempt, reason=_reason(sent))
    return _run(run_id)


@blueprint.post("/runs/<run_id>/settle")
def settle(run_id: str) -> ResponseReturnValue:
    """State whether an unknown effect happened."""
    sent = _sent("settle")
    result = sent.get("result")
    if result not in ("done", "not_done"):
        raise Invalid("result is done or not_done.", details=[{"field": "result", "reason": "done or not_done."}])
    runs.settle(
        g.actor,
        run_id,
        revision=_revision(sent),
        effect=_text(sent, "effect", needed=True) or "",
        done=result == "done",
        reason=_reason(sent),
    )
    return _run(run_id)


@blueprint.get("/runs/<run_id>/revise-preview")
def revise_preview(run_id: str) -> ResponseReturnValue:
    """What revising would cancel, and what it cannot undo."""
    step = request.args.get("step")
    if not step:
        raise Malformed("step is needed.", details=[{"field": "step", "reason": "The id of a completed step."}])
    return jsonify(runs.preview(g.actor, run_id, step, _number("attempt")).json)


@blueprint.get("/runs/<run_id>/events")
def events(run_id: str) -> ResponseReturnValue:
    """The run's events, oldest first."""
    after = _number("after") or 0
    rows, following = runs.events(g.actor, run_id, limit=limit_of(request.args), after=after)
    return jsonify(listing(rows, None if following is None else str(following)))


@blueprint.get("/runs/<run_id>/replay")
def replay(run_id: str) -> ResponseReturnValue:
    """The run and what was on screen after event `at` (its last without)."""
    at = request.args.get("at")
    return jsonify(runs.replay(g.actor, run_id, None if at is None else _number("at")).json)


def _number(name: str) -> int | None:
    """A whole number of the URL, None where it is not given. Raises Malformed."""
    told = request.args.get(name)
    if told is None:
        return None
    if not (told.isascii() and told.lstrip("-").isdigit() and len(told) <= 9):
        raise Malformed(f"{name} is a whole number.", details=[{"field": name, "reason": "A whole number."}])
    return int(told)
