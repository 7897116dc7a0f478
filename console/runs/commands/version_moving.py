"""Moving live runs to another version of their workflow: which can, why others cannot, and the move itself, each with its own event.

A run that has been through a step keeps what that step left. So those steps must be there in the other version, of the same type and made of the
same fields: what is hidden from a reader today stays hidden from them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from console import log, workflows
from console.auth import access
from console.core.actor import Actor
from console.core.errors import Conflict
from console.core.run import Attempt, Run, commands, decisions
from console.core.run.version_moves import why_not_now
from console.infra.db import tables
from console.infra.db.engine import read_rows
from console.runs.commands.run_rights import see
from console.runs.engine.stepping import plan_of, run_facts
from console.runs.store.loaded_runs import Loaded
from console.runs.store.run_store import retried, write
from console.runs.store.version_origins import origins_of
from console.runs.views.record_reach import countable_runs
from console.workflows import OBJECT, Definition

MOST_MOVED = 10_000
"""Runs that are looked at for one move, the oldest first."""
ALREADY_THERE = "already_moved"


@dataclass(frozen=True, slots=True)
class Standing:
    """A live run of a version: where it stands, and why it cannot be moved now (None: it can, if its step has a target)."""

    run: str
    step: str
    status: str
    record: str | None
    why_not: str | None


def standing_runs(actor: Actor, old: Definition, new: Definition) -> list[Standing]:
    """The live runs of a version that the actor may count, the oldest first, at most 10,000, judged for a move to the other version."""
    run, attempt, effect = tables.run.c, tables.attempt.c, tables.effect.c
    passed = (
        sa.select(sa.func.array_agg(sa.distinct(attempt.step)))
        .where(attempt.run == run.id, attempt.status == "done", sa.not_(attempt.revised))
        .scalar_subquery()
    )
    unsettled = sa.exists().where(
        effect.run == run.id, effect.n == run.current, effect.status.in_(("requested", "unknown"))
    )
    here = tables.attempt.alias("here")
    found = (
        sa.select(
            run.id,
            run.status,
            run.record,
            run.waiting,
            run.parent,
            run.fork,
            here.c.step,
            here.c.status,
            passed,
            unsettled,
            run.created_at,
        )
        .join_from(tables.run, here, sa.and_(here.c.run == run.id, here.c.n == run.current))
        .where(
            countable_runs(actor, run.workflow == old.id, run.version == old.number, run.ended_at.is_(None))
        )
        .order_by(run.created_at, run.id)
        .limit(MOST_MOVED)
    )
    general, unlike = why_none(old, new), unlike_steps(old, new)
    titles = {step.id: step.title for step in old.document.steps}
    listed = []
    for (
        ident,
        status,
        record,
        waiting,
        parent,
        fork,
        step,
        state,
        been,
        open_effect,
        at,
    ) in read_rows(found):
        held = Run(id=ident, status=status, waiting=waiting, parent=parent, fork=fork, current=1)
        held.attempts[1] = Attempt(1, step, 1, state, at)
        why = (
            general
            or why_not_now(held)
            or ("A change of it is under way or unknown: settle it first." if open_effect else None)
        )
        why = why or _has_been(been or (), unlike, titles)
        listed.append(Standing(ident, step, status, record, why))
    return listed


def why_none(old: Definition, new: Definition) -> str | None:
    """Why no run of the one version can be moved to the other; None if some may be."""
    if old.document.collection != new.document.collection:
        return "That version is about records of another collection."
    if old.document.clearance != new.document.clearance:
        return "That version has another clearance, so other people would see the run."
    if (old.document.run_as is None) != (new.document.run_as is None):
        return "One version is done by people and the other runs by itself."
    if not (origins_of(old.id, old.number).read and origins_of(new.id, new.number).read):
        return "This release cannot read one of the versions."
    return None


def unlike_steps(old: Definition, new: Definition) -> frozenset[str]:
    """Steps of the one version that are not in the other, or are of another type, or leave values of other fields."""
    types = {step.id: step.type for step in new.document.steps}
    before, after = origins_of(old.id, old.number), origins_of(new.id, new.number)
    return frozenset(
        step.id
        for step in old.document.steps
        if types.get(step.id) != step.type
        or before.made.get(step.id) != after.made.get(step.id)
        or before.steps.get(step.id) != after.steps.get(step.id)
    )


def _has_been(been: Collection[str], unlike: frozenset[str], titles: Mapping[str, str]) -> str | None:
    """Why a run that has been through these steps cannot be moved."""
    changed = sorted(titles.get(step, step) for step in unlike.intersection(been))
    if not changed:
        return None
    return f"It has been through “{changed[0]}”, which is not there in that version, or leaves other values."


def move_run(actor: Actor, run_id: str, *, version: int, steps: Mapping[str, str], reason: str) -> None:
    """Move one run to that version. `steps` names where runs go on, by the step at which they stand; without: at the step of the same id.

    Raises NotFound, NotAllowed (it needs the right to publish the workflow), Invalid without a reason, Conflict `not_possible` with why not.
    """

    def once() -> tuple[Definition, Loaded]:
        seen = see(actor, run_id, whole=True)
        run, old = seen.run, seen.definition
        access.require(actor, run.team, f"{OBJECT}:{old.slug}", "publish", run=run_facts(run))
        if min(version, run.version) < 0:
            raise Conflict(
                "A run that tries a draft is not moved, and none is moved to a draft.", code="not_possible"
            )
        new = workflows.version(run.workflow, version)
        if run.version == version:
            raise Conflict("It has that version already.", code=ALREADY_THERE)
        if run.attempt is None:
            raise Conflict("It has ended.", code="not_possible")
        been = [each.step for each in run.attempts.values() if each.standing]
        titles = {step.id: step.title for step in old.document.steps}
        if (
            why := why_none(old, new) or why_not_now(run) or _has_been(been, unlike_steps(old, new), titles)
        ) is not None:
            raise Conflict(why, code="not_possible")
        stands = run.attempt.step
        command = commands.MoveVersion(
            actor.id, version, steps.get(stands, stands), old.document.step(stands).type, reason
        )
        events = decisions.decide(plan_of(new), run, command, log.now())
        return new, write(actor, new, seen.loaded, events, hand_on=True)

    retried(once)


def targets(old: Definition, new: Definition, stands: Sequence[str]) -> dict[str, str]:
    """Step at which runs stand → the step of the same id and type in the other version; those without one are left out."""
    types = {step.id: step.type for step in new.document.steps}
    return {step: step for step in stands if types.get(step) == old.document.step(step).type}
