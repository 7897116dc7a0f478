"""Who may see a run, and what they may do with it now: by their rights in the workflow, and by the record's scope."""

from dataclasses import dataclass

from console import workflows
from console.auth import access
from console.core.actor import Actor
from console.core.errors import NotAllowed, NotFound, SourceDown
from console.core.plain_words import roles_words
from console.core.run import Run, moves
from console.infra.db.engine import fetch
from console.records import Record
from console.runs.engine.missing_records import is_deleted, knows_of_deletion, needs_record
from console.runs.engine.stepping import PERFORMING, plan_of, record_of, require_step, run_facts, step_at
from console.runs.store.loaded_runs import Loaded
from console.runs.store.promised_runs import load_begun, require_not_promised
from console.workflows import Definition, inboxes

TAKE_OVER_AFTER_S = 600


@dataclass(frozen=True, slots=True)
class Seen:
    """A run that the actor may see, with its definition, and its record as the actor may see it.

    `record` is None if the run has none, if it was deleted (`gone`), or while its source does not answer (`down`).
    """

    loaded: Loaded
    definition: Definition
    record: Record | None
    gone: bool = False
    down: SourceDown | None = None

    @property
    def run(self) -> Run:
        """The run itself."""
        return self.loaded.run

    @property
    def lacks_record(self) -> bool:
        """Whether the present step cannot be done because the record was deleted."""
        if not self.gone or self.run.current is None:
            return self.gone
        step = step_at(self.definition, self.run).attempt.step
        return not knows_of_deletion(self.run) or needs_record(self.definition, step)


def see(
    actor: Actor, run_id: str, *, whole: bool = False, shown: bool = False, recent: Loaded | None = None
) -> Seen:
    """The run, if the actor may see it. `recent`: use this run instead of reading it. Raises NotFound, with the same text whether it does not exist or is hidden,
    and Conflict `not_begun` for one that was promised and waits.
    """
    cleared = access.clearance(actor)
    loaded = recent or load_begun(run_id, whole=whole, shown=shown, cleared=cleared)
    if loaded is None:
        require_not_promised(actor, run_id)
    if loaded is None or not (loaded.run.label is None or loaded.run.label in cleared):
        raise NotFound  # a run with a label does not exist for others, so no refusal is logged
    run = loaded.run
    definition = workflows.version(run.workflow, run.version)
    if not access.can(actor, run.team, f"workflow:{definition.slug}", "see", run=run_facts(run)):
        raise NotFound(hidden=True)
    return _with_record(actor, loaded, definition)


def _with_record(actor: Actor, loaded: Loaded, definition: Definition) -> Seen:
    run = loaded.run
    try:
        return Seen(loaded, definition, record_of(actor, run))
    except SourceDown as down:
        # Who could not see the record before must not learn of the run while the source is down.
        if run.holder == actor.id or access.scope_for(actor, run.collection or "", "read").unlimited:
            return Seen(loaded, definition, None, down=down)
        raise
    except NotFound:
        if is_deleted(run) and (
            run.holder == actor.id or access.scope_for(actor, run.collection or "", "read").unlimited
        ):
            return Seen(loaded, definition, None, gone=True)
        raise NotFound(hidden=True) from None


def may_work(actor: Actor, run: Run, definition: Definition) -> bool:
    """Whether the actor may work on such runs, not only read them."""
    return any(
        access.can(actor, run.team, f"workflow:{definition.slug}", act, run=run_facts(run))
        for act in PERFORMING
    )


def holder_idle_s(run: Run) -> float:
    """Seconds since the holder last changed the run or its draft. 0 if nobody holds it."""
    if run.holder is None:
        return 0.0
    rows = fetch(
        "select extract(epoch from now() - greatest(r.active_at, (select max(d.saved_at) from console.draft d "  # noqa: S608 (a text of ours)
        f"where d.run = r.id and d.person = r.holder)))::float8 from {access.EVERY_RUN.sql()} where r.id = %s",
        (run.id,),
    )
    return max(0.0, float(rows[0][0])) if rows else 0.0


def lacking_right(actor: Actor, seen: Seen) -> str | None:
    """A sentence that says which right the actor lacks for the current step; None if none is missing, or no person is needed."""
    run = seen.run
    if run.current is None or run.status not in ("waiting_person", "saved") or run.unknown:
        return None
    try:
        require_step(actor, step_at(seen.definition, run))
    except NotAllowed as error:
        return error.words
    return None


def inbox_of_others(person: Actor, run: Run) -> inboxes.Inbox | None:
    """The inbox in which the run waits, if the person does not work there; else None."""
    place = (run.ticket or {}).get("inbox")
    inbox = next((one for one in inboxes.all_inboxes() if one.id == place), None)
    return None if inbox is None or inboxes.may(person, inbox, "work") else inbox


def require_may_work_in(actor: Actor, seen: Seen) -> None:
    """Raise NotAllowed if the run waits in an inbox in which the actor does not work."""
    if (inbox := inbox_of_others(actor, seen.run)) is not None:
        who = f", which is for {roles_words(inbox.roles)}" if inbox.roles else ""
        words = f"This run waits in the inbox {inbox.title}{who}. Somebody who works there takes it."
        raise NotAllowed(words, need=(f"inbox:{inbox.id}", "work"), team=inbox.team)


def possible_commands(actor: Actor, seen: Seen, idle_s: float) -> frozenset[str]:
    """Commands that a page offers to the actor now. Each is checked again when it is given."""
    run, obj = seen.run, f"workflow:{seen.definition.slug}"
    if run.ended:
        return frozenset()
    may: set[str] = set()
    holds = run.holder == actor.id
    if run.status == "waiting_person" and holds:
        may |= _to_holder(actor, seen)
    under_way = run.attempt is not None and any(
        effect.status == "requested" or effect.asks for effect in run.attempt.effects
    )
    if (run.status == "waiting_time" or run.waits_outside) and holds:
        may |= set() if under_way else {"abort", "revise"}
        may |= (
            {"step_in"}
            if run.waits_outside
            else {"stop_trying"}
            if (run.waiting or {}).get("for") == "retry"
            else set()
        )
    resumes = (
        access.can(actor, run.team, obj, "resume", run=run_facts(run)) and lacking_right(actor, seen) is None
    )
    works_here = resumes and inbox_of_others(actor, run) is None
    if (run.status == "saved" or (run.status == "waiting_person" and run.holder is None)) and works_here:
        may.add("resume")
    if (run.status in ("waiting_person", "waiting_time") or run.waits_outside) and not holds and works_here:
        entitled = (
            run.holder is None
            or idle_s >= TAKE_OVER_AFTER_S
            or access.can(actor, run.team, obj, "takeover", run=run_facts(run))
        )
        may |= {"take_over"} if entitled else set()
    if run.status in ("waiting_person", "waiting_time", "saved") or run.waits_outside:
        may |= {"assign"} if access.can(actor, run.team, obj, "assign", run=run_facts(run)) else set()
    if not under_way and access.can(actor, run.team, obj, "cancel", run=run_facts(run)):
        may.add("cancel")
    return frozenset(may)


def _to_holder(actor: Actor, seen: Seen) -> set[str]:
    """Commands of the holder while the run waits for them. An unknown effect must be settled first."""
    run = seen.run
    if run.unknown:
        return {"settle", "save", "release", "escalate"} | (
            {"check"} if run.unknown.status == "unknown" else set()
        )
    may = {"draft", "save", "release", "abort", "revise", "escalate"}
    if not seen.lacks_record and may_work(actor, run, seen.definition) and lacking_right(actor, seen) is None:
        may.add("complete")
    if run.take_over and run.attempt and run.attempt.step in plan_of(seen.definition).automatic:
        may.add("retry")
    return may - {"complete", "retry"} if moves.is_stuck(plan_of(seen.definition), run) else may
