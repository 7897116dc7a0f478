"""Results that come after the step is done, or after the run has ended: the other system is asked until the result is final.

The result is an event at the end of the run's chain; if the change failed, a task is created. Nothing else of the run changes.
"""

import logging
from datetime import timedelta

from console import log
from console.auth import accounts
from console.core.actor import Actor
from console.core.errors import ConsoleError, NotAllowed
from console.core.run import Attempt, Effect, Event, Run, commands, decisions
from console.core.run.step_requests import SideRow
from console.infra import jobs
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id
from console.runs.commands.run_rights import see
from console.runs.engine.addressees import may_see
from console.runs.engine.stepping import plan_of
from console.runs.store.loaded_runs import Loaded
from console.runs.store.run_events import ENGINE, as_event
from console.runs.store.run_store import load, retried, write
from console.steps.effects import later_results, target_of
from console.steps.effects.later_results import LaterResult
from console.workflows import version

logger = logging.getLogger(__name__)
FIRST_S = 60.0
LONGEST_S = 6 * 3600.0
LATER = "later"
NOT_FINAL = "After {days} days it cannot be told yet what came of it. Look there, and say what you found."
_NEWS = "select 1 from console.activity where run = %s and kind = 'effect_reported' limit 1"
_NOW = (
    "update queue.pgqueuer set execute_after = now() where dedupe_key = %s and status = 'queued' returning id"
)


def schedule_followup(run: Run, effect: Effect) -> None:
    """Schedule the first look, if the effect's result may become final only later."""
    if later_results.follow_rule(effect) is None:
        return
    with transaction() as connection:
        jobs.enqueue(
            connection,
            jobs.FOLLOW,
            f"{run.id} {effect.id}",
            dedupe_key=_key(effect.id),
            execute_after=timedelta(seconds=FIRST_S),
        )


def _key(effect: str) -> str:
    return f"follow:{effect}"


def follow_now(actor: Actor, run_id: str) -> int:
    """Look at the run's followed effects now, because somebody says that there is news. Returns how many are followed. Raises NotFound."""
    run = see(actor, run_id, whole=True).run
    effects = [
        effect
        for attempt in run.attempts.values()
        for effect in attempt.effects
        if later_results.follow_rule(effect) is not None
    ]
    return sum(bool(fetch(_NOW, (_key(effect.id),))) for effect in effects)


def follow_effect(job: str) -> None:
    """What a worker calls with `<run id> <effect id>`: look at the result and record it. Raises PutBack while it is not final."""
    run_id, _, effect_id = job.partition(" ")
    loaded = load(run_id, whole=True)
    with_attempt = loaded.run.effect(effect_id) if loaded is not None else None
    if loaded is None or with_attempt is None or with_attempt[1].status == "failed":
        return
    attempt, effect = with_attempt
    follow = later_results.follow_rule(effect)
    if effect.settled_at is None or effect.status != "succeeded":
        raise jobs.PutBack(FIRST_S)
    if follow is None or later_results.is_final(effect) or _reported_before(run_id, effect_id):
        return
    age_s = (log.now() - effect.settled_at).total_seconds()
    pause_s = max(FIRST_S, min(LONGEST_S, age_s / 2))
    if jobs.paused():
        raise jobs.PutBack(FIRST_S)
    if not jobs.outside_places.take(target_of(effect)):
        raise jobs.PutBack(jobs.outside_places.pause_s(jobs.outside_places.refused()))
    later = _look_up(loaded.run, attempt, effect)
    if later is not None and later.status != "pending":
        _report(loaded, attempt, effect, later.status, later)
    elif age_s > follow.days * 24 * 3600:
        _report(loaded, attempt, effect, "unknown", later, NOT_FINAL.format(days=follow.days))
    else:
        raise jobs.PutBack(pause_s)


def _look_up(run: Run, attempt: Attempt, effect: Effect) -> LaterResult | None:
    """The state in the other system, asked with the rights of who completed the step; None if it cannot be asked now."""
    for person in dict.fromkeys(filter(None, (attempt.by, run.last_holder, run.started_by))):
        try:
            return later_results.look_up(accounts.actor_of_person(person, "sys:engine"), effect, run)
        except NotAllowed:
            continue
        except ConsoleError as error:
            logger.warning("run %s: %s cannot be followed now: %s", run.id, effect.id, error.code)
            return None
    return None


def _reported_before(run_id: str, effect: str) -> bool:
    reports = (event.open for event in log.events_of(run_id) if event.type == "effect_reported")
    return any(each.get("effect") == effect and each.get("code") == LATER for each in reports)


def _report(
    loaded: Loaded,
    attempt: Attempt,
    effect: Effect,
    status: str,
    later: LaterResult | None,
    message: str = "",
) -> None:
    """Record the result at the end of the run, with a task unless it succeeded."""
    title = later.title if later is not None else effect.summary
    side_rows = (
        ()
        if status == "succeeded"
        else (_task(loaded.run, attempt, title, message or (later.text if later is not None else None)),)
    )
    values = dict(later.values) if later is not None else {}
    report = commands.Report(
        effect.id,
        status,
        LATER,
        message or (title if status == "failed" else ""),
        result={"values": values} if values else None,
        side_rows=side_rows,
    )
    definition = version(loaded.run.workflow, loaded.run.version)

    def once() -> Loaded:
        current = load(loaded.run.id) or loaded
        return write(
            ENGINE, definition, current, decisions.decide(plan_of(definition), current.run, report, log.now())
        )

    retried(once)


def _task(run: Run, attempt: Attempt, title: str, text: str | None) -> SideRow:
    """A task for the person who completed the step, if they still may see the run; else for the run's team."""
    who = attempt.by if attempt.by is not None and may_see(attempt.by, run) else None
    open_data = {
        "task": new_id("tsk"),
        "n": attempt.n,
        "assignee": who,
        "team": None if who else run.team,
        "due": None,
    }
    return SideRow("task_created", open_data, {"title": title} | ({"text": text} if text else {}))


def late_reports(run_id: str) -> list[Event]:
    """Events with results that came after the run no longer waited for them, in order; up to a second late. Callers check the rights."""
    if not fetch(_NEWS, (run_id,)):
        return []
    return [as_event(event) for event in log.events_of(run_id) if event.type == "effect_reported"]
