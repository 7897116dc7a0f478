"""Every command of a run as a call. Each takes the revision that the caller saw and returns the run as it is afterwards."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint, g, jsonify
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field, StringConstraints

from console import runs
from console.automation import enrolments
from console.core.errors import Invalid
from console.documents import requests
from console.log import body as canonical
from console.views.api.operation import Done, Example, Nothing, Sent, View, named, operation, read
from console.views.api.shapes import Checked, Run, Saved

blueprint = Blueprint("api_runs_commands", __name__, url_prefix="/api/v1")

Text = Annotated[str, StringConstraints(min_length=1)]


class Seen(Sent):
    """The run's revision as it was read. If the run has changed since, nothing is done."""

    revision: int


class Handed(Seen):
    """The completed step. Fields that are left out keep their value."""

    step: Text = Field(description="Where the run stands")
    values: dict[str, Any] | None = Field(None, description="By field name")
    outcome: Text | None = Field(None, description="One of `current.outcomes`, where there are any")
    handled_manually: bool = Field(
        False, description="The values were typed by the person, without the proposal"
    )
    reason: str | None = ""
    repeat: Text | None = Field(None, description="keep, again or compensate: where a change was made before")


class Drafted(Seen):
    """Half-typed values, unchecked."""

    step: Text
    values: dict[str, Any] | None = None
    outcome: str | None = None


class Reasoned(Seen):
    """A reason for the log."""

    reason: str | None = ""


class Escalated(Reasoned):
    """The inbox and the reason."""

    inbox: Text | None = Field(None, description="Id of an inbox of the run's team")
    priority: Text | None = Field(None, description="low, normal, high or urgent")


class Assigned(Reasoned):
    """The person who gets the run."""

    user: Text | None = Field(None, description="Id of the person")


class Snoozed(Reasoned):
    """Until when a ticket is not offered; null: it is offered again."""

    until: datetime | None = Field(None, strict=False)


class Broken(Reasoned):
    """The reason, and the effects to compensate first."""

    compensate: list[str] | None = Field(None, description="Effects by id, of the preview's `effects_done`")


class Revised(Broken):
    """The step to return to."""

    step: Text
    attempt: int | None = Field(None, description="Which entry into it; without: the last that stands")


class Settled(Reasoned):
    """The result of an unknown effect."""

    effect: Text
    result: Literal["done", "not_done", "left"] = Field(
        description="`left`: what a compensation should have taken back stays"
    )


class Again(Sent):
    """The step to start from, and the version."""

    from_: Literal["start", "failure"] = Field(alias="from")
    version: Literal["original", "current"] = "original"
    input: dict[str, Any] | None = Field(None, description="Another input; only from the start")


class ProposalWanted(Seen):
    """The item, if the step goes through a list."""

    item: Text | None = Field(None, description="Key of an item; without: the one at hand")


class Supplied(Seen):
    """Values that a manually handled step did not give."""

    step: Text = Field(description="The step whose context is missing")
    values: dict[str, Any] = Field(description="By field name; only fields that are empty in `context`")


class Named(Seen):
    """An effect."""

    effect: Text


SETTLED = {"succeeded": "done", "failed": "not_done"}


def _run(run_id: str) -> ResponseReturnValue:
    """Return the run as it is now, as the caller sees it."""
    return runs.get(g.actor, run_id).json


def moved(done: Done) -> dict[str, Any]:
    """Return the run that a command moved or started, as it is now."""
    return runs.get(g.actor, done.chain or named("run_id")).json


def _kept(done: Done) -> dict[str, Any]:
    """Return when the present draft was kept; if the step was completed meanwhile, when this one was sent."""
    current = runs.get(g.actor, named("run_id")).json["current"] or {}
    return {"saved_at": (current.get("draft") or {}).get("saved_at") or canonical.moment(done.at)}


def _checked(done: Done) -> dict[str, Any]:
    """Return the run and the present state of the effect."""
    run, wanted = moved(done), read(Named).effect
    statuses = [
        effect["status"]
        for attempt in run["attempts"]
        for effect in attempt["effects"]
        if effect["id"] == wanted
    ]
    return run | {"checked": SETTLED.get(statuses[-1] if statuses else "", "unclear")}


def command(
    path: str,
    name: str,
    body: type[Sent],
    example: dict[str, Any],
    *,
    permission: str = "workflow.start",
    answer: type[BaseModel] = Run,
    status: int = 200,
    again: Callable[[Done], Any] = moved,
) -> Callable[[View], View]:
    """Declare a view as a command of a run: POST `/runs/<run_id>/<path>`, with an example of its body."""
    shown = Example(body=example, status=status)
    declare = operation(name, permission, {status: answer}, body=body, again=again, example=shown)
    return lambda view: blueprint.post(f"/runs/<run_id>/{path}")(declare(view))


@command(
    "complete", "completeStep", Handed, {"step": "decide", "revision": 4, "values": {}, "outcome": "approve"}
)
def complete(run_id: str) -> ResponseReturnValue:
    """Complete the current step.

    422 with a detail per field; 409 `stale_revision`, `not_holder`, `not_possible`, or `already_done` where the change was made before: the details then name what `repeat` takes.
    """
    sent = read(Handed)
    view = runs.complete_and_look(
        g.actor,
        run_id,
        runs.Submission(
            step=sent.step,
            revision=sent.revision,
            values=sent.values or {},
            outcome=sent.outcome,
            handled_manually=sent.handled_manually,
            reason=sent.reason or "",
            repeat=sent.repeat,
        ),
    )
    return view.json


@command(
    "draft",
    "saveDraft",
    Drafted,
    {"step": "note", "revision": 2, "values": {"note": "Called, no ans"}},
    answer=Saved,
    again=_kept,
)
def draft(run_id: str) -> ResponseReturnValue:
    """Save half-typed values as a draft. The run does not change."""
    sent = read(Drafted)
    saved_at = runs.draft(
        g.actor,
        run_id,
        step=sent.step,
        revision=sent.revision,
        values=sent.values or {},
        outcome=sent.outcome,
    )
    return jsonify(saved_at=canonical.moment(saved_at))


@command("propose", "proposeAgain", ProposalWanted, {"revision": 2})
def propose(run_id: str) -> ResponseReturnValue:
    """Request another proposal for the open step. The run does not change. The proposal is `pending` at first: read the run again until it is not."""
    sent = read(ProposalWanted)
    runs.propose_again(g.actor, run_id, revision=sent.revision, item=sent.item)
    return _run(run_id)


@command("supply", "supplyContext", Supplied, {"revision": 4, "step": "note", "values": {"count": 3}})
def supply(run_id: str) -> ResponseReturnValue:
    """Supply the values that a manually handled step did not give. A new proposal for the open step is requested.

    422 with a detail per field, also for fields that hold something; 404 for a step that lacks nothing.
    """
    sent = read(Supplied)
    runs.supply(g.actor, run_id, revision=sent.revision, step=sent.step, values=sent.values)
    return _run(run_id)


@command("save", "saveRun", Seen, {"revision": 2})
def save(run_id: str) -> ResponseReturnValue:
    """Save the run with what was typed, and release it: nobody holds it."""
    runs.save(g.actor, run_id, revision=read(Seen).revision)
    return _run(run_id)


@command("resume", "resumeRun", Seen, {"revision": 3}, permission="workflow.resume")
def resume(run_id: str) -> ResponseReturnValue:
    """Resume a saved run: the caller holds it, at the same step."""
    runs.resume(g.actor, run_id, revision=read(Seen).revision)
    return _run(run_id)


@command("take-over", "takeOverRun", Seen, {"revision": 2}, permission="workflow.takeover")
def take_over(run_id: str) -> ResponseReturnValue:
    """Become the holder, if nobody holds the run, or if the holder is idle or the caller may take over from them."""
    runs.take_over(g.actor, run_id, revision=read(Seen).revision)
    return _run(run_id)


@command("release", "releaseRun", Seen, {"revision": 2})
def release(run_id: str) -> ResponseReturnValue:
    """Release the run: nobody holds it."""
    runs.release(g.actor, run_id, revision=read(Seen).revision)
    return _run(run_id)


@command(
    "escalate",
    "escalateRun",
    Escalated,
    {"revision": 2, "inbox": "desk", "reason": "Needs a second look.", "priority": "high"},
)
def escalate(run_id: str) -> ResponseReturnValue:
    """Put the run into an inbox, with a reason; nobody holds it."""
    sent = read(Escalated)
    runs.escalate(
        g.actor,
        run_id,
        revision=sent.revision,
        inbox=sent.inbox or "",
        reason=sent.reason or "",
        priority=sent.priority or "normal",
    )
    return _run(run_id)


@command(
    "assign",
    "assignRun",
    Assigned,
    {"revision": 2, "user": "usr_01j0000000000000000000000a", "reason": "Knows the customer."},
    permission="workflow.assign",
)
def assign(run_id: str) -> ResponseReturnValue:
    """Give the run to a person; 422 where they could not do the step."""
    sent = read(Assigned)
    runs.assign(g.actor, run_id, revision=sent.revision, user=sent.user or "", reason=sent.reason or "")
    return _run(run_id)


@command(
    "snooze",
    "snoozeRun",
    Snoozed,
    {"revision": 2, "until": "2026-12-03T08:00:00Z", "reason": "The bank is closed."},
)
def snooze(run_id: str) -> ResponseReturnValue:
    """Take a ticket out of the queue of its inbox until a moment, after which it is back by itself; when it is due stays as it is."""
    sent = read(Snoozed)
    if sent.until is not None and sent.until.tzinfo is None:
        raise Invalid("It is not snoozed.", at=("until", "A moment with its zone."))
    runs.snooze(g.actor, run_id, revision=sent.revision, until=sent.until, reason=sent.reason or "")
    return _run(run_id)


@command("step-in", "stepIn", Reasoned, {"revision": 5, "reason": "It takes too long."})
def step_in(run_id: str) -> ResponseReturnValue:
    """Stop waiting for what the step waits for: the holder does it by hand."""
    sent = read(Reasoned)
    requests.stop_waiting(g.actor, run_id, revision=sent.revision, reason=sent.reason or "")
    return _run(run_id)


class Retried(Sent):
    """Either the revision, to retry the open step of a live run; or where an ended run is to begin anew."""

    revision: int | None = Field(
        None, description="As it was read: the open step is tried again after its automatic attempt failed"
    )
    from_: Literal["start", "failure"] | None = Field(
        None, alias="from", description="An ended run is done again, as a new run"
    )
    version: Literal["same", "live"] = Field("live", description="The version of the new run")
    input: dict[str, Any] | None = Field(None, description="Another input; only from the start")


@blueprint.post("/runs/<run_id>/retry")
@operation(
    "retryRun",
    "workflow.start",
    {200: Run, 201: Run},
    body=Retried,
    again=moved,
    example=Example(body={"from": "start"}, status=201),
)
def retry(run_id: str) -> ResponseReturnValue:
    """Do an ended run again: `from` its failure or its start, with the `same` version or the `live` one, as a new run linked by `rerun_of` (201).

    Of a live run, with its `revision`: retry the open step (200).
    """
    sent = read(Retried)
    if sent.from_ is None:
        if sent.revision is None:
            reason = (
                "Needed: failure or start for an ended run; or `revision`, for the open step of a live one."
            )
            raise Invalid(reason, at="from")
        runs.retry(g.actor, run_id, revision=sent.revision)
        return _run(run_id)
    made = enrolments.rerun(
        g.actor,
        run_id,
        origin=sent.from_,
        version="original" if sent.version == "same" else "current",
        given=sent.input,
    )
    return runs.get(g.actor, made).json, 201


@command("stop-trying", "stopTrying", Seen, {"revision": 5})
def stop_trying(run_id: str) -> ResponseReturnValue:
    """Stop automatic retries. The form is shown with the error."""
    runs.stop_trying(g.actor, run_id, revision=read(Seen).revision)
    return _run(run_id)


@command("abort", "abortRun", Broken, {"revision": 2, "reason": "Started by mistake."})
def abort(run_id: str) -> ResponseReturnValue:
    """Abort the run with a reason, after compensating the named effects."""
    sent = read(Broken)
    runs.abort(
        g.actor, run_id, revision=sent.revision, reason=sent.reason or "", compensate=sent.compensate or []
    )
    return _run(run_id)


@command(
    "cancel",
    "cancelRun",
    Reasoned,
    {"revision": 2, "reason": "The customer has left."},
    permission="workflow.cancel",
)
def cancel(run_id: str) -> ResponseReturnValue:
    """Cancel the run with a reason, without holding it."""
    sent = read(Reasoned)
    runs.cancel(g.actor, run_id, revision=sent.revision, reason=sent.reason or "")
    return _run(run_id)


@command("revise", "reviseRun", Revised, {"revision": 5, "step": "note", "reason": "Read the file again."})
def revise(run_id: str) -> ResponseReturnValue:
    """Send the run back to a completed step, with a reason. Later attempts are cancelled and stay in the log."""
    sent = read(Revised)
    runs.revise(
        g.actor,
        run_id,
        revision=sent.revision,
        step=sent.step,
        attempt=sent.attempt,
        reason=sent.reason or "",
        compensate=sent.compensate or [],
    )
    return _run(run_id)


@command(
    "settle",
    "settleEffect",
    Settled,
    {
        "revision": 6,
        "effect": "eff_01j0000000000000000000000a",
        "result": "done",
        "reason": "Seen at the bank.",
    },
)
def settle(run_id: str) -> ResponseReturnValue:
    """State whether an unknown effect happened."""
    sent = read(Settled)
    runs.settle(
        g.actor,
        run_id,
        revision=sent.revision,
        effect=sent.effect,
        done=sent.result == "done",
        left=sent.result == "left",
        reason=sent.reason or "",
    )
    return _run(run_id)


@command(
    "check",
    "checkEffect",
    Named,
    {"revision": 6, "effect": "eff_01j0000000000000000000000a"},
    answer=Checked,
    again=_checked,
)
def check(run_id: str) -> ResponseReturnValue:
    """Ask the other side about an unknown effect: `checked` says done, not_done or unclear."""
    sent = read(Named)
    result = runs.check(g.actor, run_id, revision=sent.revision, effect=sent.effect)
    return runs.get(g.actor, run_id).json | {"checked": result}


@command("rerun", "rerun", Again, {"from": "start", "version": "current"}, status=201)
def rerun(run_id: str) -> ResponseReturnValue:
    """Rerun an ended run from its start or from where it stopped, as a new run linked by `rerun_of`."""
    sent = read(Again)
    made = enrolments.rerun(g.actor, run_id, origin=sent.from_, version=sent.version, given=sent.input)
    return runs.get(g.actor, made).json, 201


@command("look-again", "lookAgain", Nothing, {}, permission="workflow.see")
def look_again(run_id: str) -> ResponseReturnValue:
    """Look up now what became of what the run has sent. For a provider's webhook: nothing of its content is trusted."""
    read(Nothing)
    runs.follow_now(g.actor, run_id)
    return _run(run_id)
