"""Ending the run of somebody who leaves a workflow early: taken out by a person, or because an exit applied."""

from console import log, workflows
from console.core.actor import Actor
from console.core.errors import Conflict
from console.core.run import Event, Run, commands, decisions
from console.runs.engine.stepping import plan_of
from console.runs.store.run_store import load, retried, write
from console.workflows import Definition

EXITED = "Exited"


def take_out(
    actor: Actor, run_id: str, reason: str, *, exited: bool = False, code: str = "unenrolled"
) -> bool:
    """End the run at once, whoever holds it; False where it has ended or is not there. What it waits for and what it asked for but nobody began is done no more.

    `exited`: it ends as completed, with this reason; else as cancelled. The caller has judged the actor's rights.
    """

    def once() -> bool:
        loaded = load(run_id)
        if loaded is None or loaded.run.ended:
            return False
        definition = workflows.version(loaded.run.workflow, loaded.run.version)
        write(
            actor,
            definition,
            loaded,
            _events(definition, loaded.run, actor, reason, exited=exited, code=code),
        )
        return True

    return retried(once)


def _events(
    definition: Definition, run: Run, actor: Actor, reason: str, *, exited: bool, code: str
) -> list[Event]:
    """The events of a cancellation, the last one replaced where the run exits. With an effect under way nothing but the end is written: its result is noted later."""
    now, step = log.now(), run.attempt.step if run.attempt else None
    by = actor.id if actor.kind in ("user", "key") else None
    try:
        events = decisions.decide(
            plan_of(definition), run, commands.Cancel(actor.id, run.revision, reason), now
        )
    except Conflict:
        events = [
            Event(
                "run_cancelled",
                now,
                {"former_holder": run.holder, "revision": run.revision + 1},
                {"reason": reason},
                by=by,
            )
        ]
    *before, end = [event._replace(by=by) for event in events]
    if exited:
        opened = {"label": EXITED, "step": step, "revision": end.open["revision"]}
        return [*before, Event("run_completed", now, opened, {"reason": reason})]
    return [*before, end._replace(open={**end.open, "reason_code": code})]
