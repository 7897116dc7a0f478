"""Making effects: by the process that committed the request, or by a worker if that process died.

Only one process at a time works on an effect of a run. An error that may pass is tried again later. If it takes too long, a person has to settle
it, unless a late result does.
"""

import contextvars
import functools
import logging
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from console import log, records, workflows
from console.core.actor import Actor
from console.core.errors import ConsoleError, IntegrationError, OutcomeUnknown, SourceDown
from console.core.run import Effect, Run, commands, decisions
from console.infra import faults, jobs
from console.infra.db.engine import alone
from console.infra.outbound import retry_after
from console.runs.engine import consent_events, effect_followup, stage_events
from console.runs.engine.stepping import plan_of
from console.runs.store.loaded_runs import Loaded
from console.runs.store.run_events import ENGINE
from console.runs.store.run_store import load, retried, write
from console.steps import effects
from console.workflows import Definition

logger = logging.getLogger(__name__)
LONGEST_PAUSE_S = 3600.0
UNSURE = "It was asked for more than once, and it cannot be told whether one of these did it. Look there, then say what you found."
TIMED_OUT = "No answer came in {seconds} seconds; it cannot be told whether the change was made. Look there, then say what you found."
BUSY = "Others are waiting for the same system just now, so it is asked in the background."
QUICK_S = 0.5  # a change in one's own database takes a few milliseconds
PATIENCE_S = 5.0
"""How long a page waits for a change outside; then it says that the change is being made, and follows."""
Act = Callable[[Run], commands.Report]
_places: threading.BoundedSemaphore | None = None


def limit_places(most: int | None) -> None:
    """At most so many of the threads of this process that serve people wait for somebody outside at once; None: it serves nobody."""
    global _places  # noqa: PLW0603 (one per process, set when it starts)
    _places = None if most is None else threading.BoundedSemaphore(most)


def serves_people() -> bool:
    """Whether this process does, and leaves to workers what may take long."""
    return _places is not None


@contextmanager
def place() -> Iterator[bool]:
    """Whether this thread may wait for somebody outside: a provider that hangs must not hold every thread that pages are served by."""
    places = _places
    free = places is None or places.acquire(blocking=False)
    try:
        yield free
    finally:
        if places is not None and free:
            places.release()


def make_beside(make: Callable[[], Loaded], go_on: Callable[[Loaded], None]) -> Loaded | None:
    """The run after `make`. In a process that serves people a thread of its own does it, and who waits longer than `PATIENCE_S`, or `QUICK_S` where others wait
    already, gets None: `go_on` is called with the run when it is done. If the process dies meanwhile, a worker finds out what came of it, as ever.
    """
    if _places is None:
        return make()
    made: Future[Loaded] = Future()

    def work() -> None:
        try:
            with jobs.outside_places.doing(jobs.outside_places.Waiter()):
                loaded = make()
        except Exception as error:
            if made.set_running_or_notify_cancel():
                made.set_exception(error)
            else:
                logger.exception("a change that nobody waited for any more")
            return
        if made.set_running_or_notify_cancel():
            made.set_result(loaded)
        else:
            go_on(loaded)

    threading.Thread(target=contextvars.copy_context().run, args=(work,), name="change", daemon=True).start()
    if not wait([made], QUICK_S).done:
        with place() as free:
            wait([made], PATIENCE_S - QUICK_S if free else 0.0)
    return None if made.cancel() else made.result()


def perform_action(actor: Actor, effect: Effect, *, looks: bool = False) -> Act:
    """A function that makes an effect for the first time. `looks`: if the result is unknown, the other system is asked once."""
    return functools.partial(_perform_and_look if looks else _perform, actor, effect)


def put_off_action(effect: Effect) -> Act:
    """A function that leaves an effect for later: it was not begun."""
    return lambda _run: commands.Report(
        effect.id, "failed", "busy", BUSY, [{"field": "", "reason": BUSY}], passing=True
    )


def recover_action(actor: Actor, effect: Effect) -> Act:
    """A function that finds out the result of an effect whose process died."""
    return functools.partial(effects.recover, actor, effect)


def _perform(actor: Actor, effect: Effect, run: Run) -> commands.Report:
    try:
        return effects.perform(actor, effect, run)
    except OutcomeUnknown as error:
        return commands.Report(effect.id, "unknown", error.code, error.message)
    except (IntegrationError, SourceDown) as error:
        details = error.details or [{"field": "", "reason": error.message}]
        return commands.Report(
            effect.id,
            "failed",
            error.code,
            error.message,
            details,
            passing=is_passing(error),
            source=awaited_source(error),
        )


def _perform_and_look(actor: Actor, effect: Effect, run: Run) -> commands.Report:
    report = _perform(actor, effect, run)
    if report.status != "unknown":
        return report
    try:
        found = effects.check(actor, effect, run)
    except ConsoleError:
        return report
    return found if found is not None and found.status in ("succeeded", "failed") else report


def is_passing(error: ConsoleError) -> bool:
    """Whether another try may succeed."""
    return (isinstance(error, SourceDown) and error.passing) or (
        isinstance(error, IntegrationError) and not error.permanent
    )


def awaited_source(error: ConsoleError) -> str | None:
    """The data source whose return is worth a try before the time of the next one, if it is that."""
    return error.awaited_source if isinstance(error, SourceDown) else None


def retry_moment(definition: Definition, tries: int, now: datetime, wait_s: float | None = None) -> str:
    """When to try again after this many tries: the workflow's pause doubles, with a random part so that failed runs do not retry together.

    `wait_s`: what the other side asks for, where that is longer.
    """
    first_s = definition.document.settings.backoff_ms / 1000
    pause_s = min(LONGEST_PAUSE_S, first_s * 2.0**tries) * random.uniform(0.75, 1.25)  # noqa: S311 (spread, not secrecy)
    return log.body.moment(now + retry_after.pause(timedelta(seconds=pause_s), wait_s))


def make_effect(
    definition: Definition,
    loaded: Loaded,
    wanted: Effect,
    act: Act,
    *,
    hand_on: Callable[[], bool] = bool,
    again: bool = False,
) -> Loaded:
    """Make the effect and record the result, unless another process works on it or has done it: a slow process is not a dead one.

    `hand_on`: whether a job takes the automatic steps that follow, asked when the result is there. `again`: a process that died may have made it before.
    """
    with alone(loaded.run.id) as mine:
        if not mine:
            return loaded
        current = load(loaded.run.id) or loaded
        still = current.run.wanted
        if still is None or still.id != wanted.id or current.run.status != "waiting_event":
            return current
        effect_followup.schedule_followup(current.run, still)
        with records.noted_changes() as made:
            report = act(current.run)
        faults.point("effects.report.before")
        before = again or current.run.tries > 0
        changes = (
            consent_events.found_out(current.run, still, report.result, made)
            if before and report.status == "succeeded"
            else made
        )
        return record_report(definition, current, report, hand_on=hand_on(), changes=changes)


def record_report(
    definition: Definition,
    loaded: Loaded,
    report: commands.Report,
    *,
    hand_on: bool = False,
    changes: Sequence[records.Changed] = (),
) -> Loaded:
    """Record the result of an effect, again if the run moved meanwhile. An error that may pass is put off, as often as the workflow allows.

    `changes` are what it is known to have changed in the users' databases.
    """
    plan, agreed = plan_of(definition), consent_events.noting(changes)

    def once() -> Loaded:
        current, now = load(loaded.run.id) or loaded, log.now()
        events = decisions.decide(plan, current.run, _put_off(definition, current.run, report, now), now)
        told = stage_events.with_stage_changed(current.run, report, events)
        return write(ENGINE, definition, current, told, hand_on=hand_on, also=agreed)

    return retried(once)


def _put_off(definition: Definition, run: Run, report: commands.Report, now: datetime) -> commands.Command:
    wanted = run.wanted
    waits = wanted is not None and wanted.id == report.effect and run.status == "waiting_event"
    if (
        report.status == "failed"
        and report.passing
        and waits
        and run.tries < definition.document.settings.retries
    ):
        return commands.Postpone(
            report.effect,
            report.code,
            report.message,
            retry_moment(definition, run.tries, now, report.wait_s),
            report.unsure,
            report.source,
        )
    if report.status == "failed" and (report.unsure or (report.passing and run.unsure)):
        return replace(report, status="unknown", errors=(), message=f"{report.message} {UNSURE}".strip())
    return report


def give_up_waiting(run_id: str) -> None:
    """Record an effect as unknown if a process has worked on it longer than a step may take. If no process does, a worker recovers it."""
    loaded = load(run_id)
    wanted = loaded.run.wanted if loaded is not None else None
    if (
        loaded is None
        or wanted is None
        or loaded.run.status != "waiting_event"
        or loaded.run.active_at is None
    ):
        return
    definition = workflows.version(loaded.run.workflow, loaded.run.version)
    seconds = definition.document.settings.step_seconds
    if log.now() - loaded.run.active_at < timedelta(seconds=seconds):
        return
    with alone(run_id) as mine:
        if mine:
            return
    record_report(
        definition,
        loaded,
        commands.Report(wanted.id, "unknown", "timeout", TIMED_OUT.format(seconds=seconds)),
    )
