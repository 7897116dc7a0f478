"""Revising and aborting a run, and the preview of what that would cancel and which effects would stay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from console import log
from console.auth import access, accounts
from console.core.actor import Actor
from console.core.errors import ConsoleError
from console.core.run import Attempt, Run, commands, going_back, moves
from console.core.run.commands import Command
from console.core.run.going_back import nearest_manual
from console.core.run.step_requests import Wish
from console.runs.commands import compensations
from console.runs.commands.run_rights import Seen, see
from console.runs.commands.transitions import reason_of, revision_of, run_command
from console.runs.engine.advancing import go_on
from console.runs.engine.made_by_runs import made_by_runs
from console.runs.engine.stepping import plan_of, run_facts
from console.runs.views.view import moment, title_of


@dataclass(frozen=True, slots=True)
class Preview:
    """What revising or aborting would do. `json` is its shape in the API: `cancels` newest first, `effects_done` are effects that stay.

    `names` are people by id.
    """

    json: dict[str, Any]
    revision: int
    title: str
    names: Mapping[str, str] = field(default_factory=dict)


def preview(actor: Actor, run_id: str, step: str, attempt: int | None = None) -> Preview:
    """What revising the step's last completed attempt, or the one with this number, would do. Changes nothing."""
    seen, now = see(actor, run_id, whole=True), log.now()
    run = seen.run
    if run.ended:
        moves.require_completable(run, actor.id, step, None)
    target = going_back.revisable(run, step, attempt)
    target = nearest_manual(plan_of(seen.definition), run, target) or target
    cancelled = going_back.cancelled_by(run, target.n)
    void = [
        {"id": approval.id, "step": each.step, "action": approval.action, "status": approval.status}
        for each in (*cancelled, target)
        for approval in each.approvals
        if approval.status in ("open", "approved")
    ]
    json = {
        "step": target.step,
        "attempt": target.attempt,
        "cancels": [_cancelled(seen, each) for each in cancelled],
        "effects_done": _effects_done(actor, run, [*cancelled, target], now),
        "approvals_void": void,
    }
    names = accounts.names({each.by for each in cancelled if each.by})
    return Preview(json, run.revision, title_of(seen.definition, target.step), names)


def _effects_done(actor: Actor, run: Run, attempts: Sequence[Attempt], now: datetime) -> list[dict[str, Any]]:
    """What the attempts have made and nobody took back, then what runs did that they started, as far as the actor may see these."""

    def visible(run_id: str) -> bool:
        try:
            return bool(see(actor, run_id))
        except ConsoleError:
            return False

    made = [compensations.DoneEffect(*each) for each in made_by_runs(run, attempts, visible)]
    return [each.to_json(actor) for each in (*compensations.done_effects(actor, run, attempts, now), *made)]


def _cancelled(seen: Seen, each: Attempt) -> dict[str, Any]:
    title, at = title_of(seen.definition, each.step), moment(each.completed_at)
    return {"step": each.step, "attempt": each.attempt, "title": title, "by": each.by, "completed_at": at}


def abort_preview(actor: Actor, run_id: str) -> Preview:
    """All outstanding effects of the run, newest first, with their compensations. Changes nothing."""
    seen, now = see(actor, run_id, whole=True), log.now()
    run = seen.run
    newest = [run.attempts[n] for n in sorted(run.attempts, reverse=True)]
    json = {"effects_done": _effects_done(actor, run, newest, now) if not run.ended else []}
    return Preview(json, run.revision, seen.definition.title)


def revise(
    actor: Actor,
    run_id: str,
    *,
    revision: int | None,
    step: str,
    attempt: int | None,
    reason: str,
    compensate: Sequence[str] = (),
) -> None:
    """Go back to a completed step. Later attempts are cancelled and stay in the log. `compensate`: ids of effects to take back.

    Raises Invalid for a missing reason or an effect that cannot be taken back, Conflict as `decide` does.
    """

    def make(seen: Seen) -> Command:
        moves.require_reason(reason)
        if seen.run.ended:
            return commands.Revise(actor.id, revision_of(seen, revision), 0, reason)
        target = going_back.revisable(seen.run, step, attempt)
        return commands.Revise(
            actor.id,
            revision_of(seen, revision),
            target.n,
            reason_of(reason),
            _back(actor, seen, compensate, log.now()),
        )

    definition, loaded = run_command(actor, run_id, None, make, whole=True)
    if compensate:
        go_on(actor, definition, loaded)


def abort(
    actor: Actor, run_id: str, *, revision: int | None, reason: str, compensate: Sequence[str] = ()
) -> None:
    """Abort the run; it stays in the log and can be replayed. `compensate`: ids of effects to take back first.

    One that nobody holds is aborted by whoever may cancel it.
    """

    def make(seen: Seen) -> Command:
        moves.require_reason(reason)
        entitled = seen.run.holder is None and access.can(
            actor, seen.run.team, f"workflow:{seen.definition.slug}", "cancel", run=run_facts(seen.run)
        )
        back = _back(actor, seen, compensate, log.now(), entitled=entitled)
        return commands.Abort(actor.id, revision_of(seen, revision), reason_of(reason), back, entitled)

    definition, loaded = run_command(actor, run_id, None, make, whole=bool(compensate))
    if compensate:
        go_on(actor, definition, loaded)


def _back(
    actor: Actor, seen: Seen, effects: Sequence[str], now: datetime, *, entitled: bool = False
) -> list[Wish]:
    """The wishes that take the effects back. Raises Conflict before anything is read if the person neither holds the run nor is `entitled`."""
    if not effects or seen.run.ended:
        return []
    if not entitled:
        moves.require_holder(seen.run, actor.id)
    return compensations.chosen_compensations(actor, seen.run, effects, now)
