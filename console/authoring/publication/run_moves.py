"""Moving many live runs to another version: first a plan by step, then the moves one by one, in the background if there are many."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log, runs, workflows
from console.auth import access
from console.automation import enrolments
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid, NotFound
from console.infra import jobs
from console.infra.db import tables, troubles
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id
from console.infra.jobs import background
from console.infra.jobs.background import Stopping, Work
from console.runs import ALREADY_THERE, Standing
from console.runs.views import lists
from console.workflows import OBJECT, Definition, Entry

AT_ONCE = 20
"""So many are moved before the answer; of more, the rest in the background."""
STEP = 10
LONGEST_REASON = 2000
MOST_VERSIONS = 2**31 - 1
table = tables.run_move
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StepMove:
    """A step of the former version at which runs stand. `target` is where they go on (None: nobody has said yet), `fits` that it is the same step."""

    step: str
    title: str
    runs: int
    movable: int
    target: str | None
    fits: bool

    def to_json(self) -> dict[str, Any]:
        """The step in the shape of the API."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class MovePlan:
    """What a move would do. `movable` are the runs that can be moved, `stuck` reason → how many cannot; `waiting`: enrolled people who begin later."""

    workflow: Entry
    former: Definition
    new: Definition
    steps: Sequence[StepMove]
    standing: Sequence[Standing]
    stuck: Mapping[str, int]
    waiting: int

    @property
    def movable(self) -> list[Standing]:
        """The runs that can be moved, the oldest first."""
        mapped = {each.step for each in self.steps if each.target is not None}
        return [each for each in self.standing if each.why_not is None and each.step in mapped]

    def to_json(self) -> dict[str, Any]:
        """The plan in the shape of the API."""
        return {
            "from": self.former.number,
            "to": self.new.number,
            "steps": [each.to_json() for each in self.steps],
            "total": len(self.standing),
            "movable": len(self.movable),
            "refused": [{"reason": reason, "runs": count} for reason, count in self.stuck.items()],
            "waiting": self.waiting,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMove(Work):
    """A move that was begun: of `total` runs, `done` were looked at and `moved` were moved; `refused` is run → why not."""

    workflow: str
    former_version: int
    version: int
    steps: Mapping[str, str]
    runs: Sequence[str]
    moved: int
    refused: Mapping[str, str]
    reason: str
    made_at: datetime
    ended_at: datetime | None

    def to_json(self) -> dict[str, Any]:
        """The move in the shape of the API."""
        fields = {name: getattr(self, name) for name in ("id", "status", "total", "done", "moved", "reason")}
        fields |= {
            "from": self.former_version,
            "to": self.version,
            "by": self.person,
            "refused": dict(self.refused),
        }
        ended = log.body.moment(self.ended_at) if self.ended_at else None
        return fields | {"made_at": log.body.moment(self.made_at), "ended_at": ended}


def plan_move(
    actor: Actor, slug_or_id: str, former: int, new: int, steps: Mapping[str, str] | None = None
) -> MovePlan:
    """What moving the runs of one version to another would do. `steps` says where runs go on, by the step at which they stand; without, at the
    same step, where there is one.

    Raises NotFound, NotAllowed (it needs the right to publish), Invalid for a step that is none.
    """
    entry = workflows.entry(actor, slug_or_id)
    access.require(actor, entry.team or None, f"{OBJECT}:{entry.slug}", "publish")
    if min(former, new) < 0 or max(former, new) > MOST_VERSIONS:
        raise NotFound("There is no such version of this workflow.")
    old, other = workflows.version(entry.id, former), workflows.version(entry.id, new)
    given = _checked(old, other, steps or {})
    standing = runs.standing_runs(actor, old, other)
    count, can = (
        Counter(each.step for each in standing),
        Counter(each.step for each in standing if each.why_not is None),
    )
    same = runs.targets(old, other, list(count))
    lines = [
        StepMove(
            step.id,
            step.title,
            count[step.id],
            can[step.id],
            given.get(step.id, same.get(step.id)),
            step.id in same,
        )
        for step in old.document.steps
        if step.id in count
    ]
    stuck = Counter(each.why_not for each in standing if each.why_not is not None)
    homeless = {each.step: each for each in lines if each.target is None and each.movable}
    stuck.update(
        {
            f"“{each.title}” is not in that version: choose where its runs go on.": each.movable
            for each in homeless.values()
        }
    )
    waiting = enrolments.counts_for(actor, entry.id, entry.collection).waiting
    return MovePlan(entry, old, other, lines, standing, dict(stuck.most_common()), waiting)


def run_titles(actor: Actor, standing: Sequence[Standing]) -> dict[str, str]:
    """What the runs are about, by run, as far as the actor may see it."""
    run = tables.run.c
    heads, _ = lists.visible_runs(
        actor,
        run.id.in_([each.run for each in standing]),
        order=(run.created_at, run.id),
        limit=len(standing) or 1,
    )
    return {head.id: head.record_title for head in heads}


def move_runs(
    actor: Actor,
    slug_or_id: str,
    former: int,
    new: int,
    *,
    steps: Mapping[str, str],
    reason: str,
    chosen: Sequence[str] | None = None,
) -> RunMove:
    """Move the chosen runs (None: all that can be moved). The first are moved at once, many in the background.

    Raises as `plan_move`, Invalid without a reason, Conflict `not_possible` where none can be moved.
    """
    words = reason.strip()
    if not words or len(words) > LONGEST_REASON or "\x00" in words:
        raise Invalid("A reason is needed.", at=("reason", "Say why in a few words; it is kept in the log."))
    plan = plan_move(actor, slug_or_id, former, new, steps)
    movable = [each.run for each in plan.movable]
    wanted = (
        movable
        if chosen is None
        else [run for run in dict.fromkeys(chosen) if run in {each.run for each in plan.standing}]
    )
    if not wanted:
        open_steps = " and ".join(
            f"“{each.title}”" for each in plan.steps if each.target is None and each.movable
        )
        reason = (
            f"Choose first where the runs at {open_steps} go on."
            if open_steps
            else "None of these runs can be moved."
        )
        raise Conflict(reason, code="not_possible")
    targets = {each.step: each.target for each in plan.steps if each.target is not None}
    move_id = new_id("mov")
    values = {
        "id": move_id,
        "workflow": plan.workflow.id,
        "former_version": former,
        "version": new,
        "steps": targets,
        "runs": wanted,
        "person": actor.id,
        "reason": words,
        "made_at": log.now(),
    }
    with transaction() as connection:
        MOVES.add(connection, **values)  # also of few: this process may die
    if len(wanted) <= AT_ONCE:
        MOVES.begin(move_id, actor)
    return move_of(actor, plan.workflow.id, move_id)


def move_of(actor: Actor, slug_or_id: str, move_id: str) -> RunMove:
    """How far a move is, told of the runs that the actor is cleared for: one of others alone is not there. Raises NotFound, NotAllowed."""
    entry = workflows.entry(actor, slug_or_id)
    access.require(actor, entry.team or None, f"{OBJECT}:{entry.slug}", "publish")
    move = MOVES.get(move_id)
    cleared = fetch(f"select r.id from {access.runs(actor).sql()} where r.id = any(%s)", (list(move.runs),))  # noqa: S608 (a text of ours)
    seen = {run for (run,) in cleared}
    if move.workflow != entry.id or not seen:
        raise NotFound(MOVES.missing)
    done = [run for run in move.runs[: move.done] if run in seen]
    refused = {run: why for run, why in move.refused.items() if run in seen}
    return replace(move, total=len(seen), done=len(done), moved=len(done) - len(refused), refused=refused)


class _Moves(background.Kind[RunMove]):
    job, table = jobs.MOVE, tables.run_move
    missing = "There is no such move of this workflow."

    def key(self, work_id: str) -> str:
        return f"move|{work_id}"

    def read(self, row: sa.Row[Any]) -> RunMove:
        return RunMove.from_row(row, why="", total=len(row.runs))

    def perform(self, work: RunMove, actor: Actor, stopping: Stopping) -> None:
        while work.done < len(work.runs):
            if stopping():
                raise jobs.PutBack(background.LATER_S)
            work = _move_next(work, actor)

    def fail(self, work: RunMove, why: str) -> None:
        """Refuse the runs that are left: who asked for the move may do nothing any more."""
        left = dict.fromkeys(work.runs[work.done :], why)
        self.end(work.id, background.DONE, done=len(work.runs), refused={**work.refused, **left})


MOVES = _Moves()
advance = MOVES.advance


def _move_next(move: RunMove, actor: Actor) -> RunMove:
    """Move the next few, and note how far it is: after a crash a few are looked at again, which changes nothing."""
    moved, refused = move.moved, dict(move.refused)
    part = move.runs[move.done : move.done + STEP]
    for run in part:
        try:
            runs.move_run(actor, run, version=move.version, steps=move.steps, reason=move.reason)
            moved += 1
        except ConsoleError as error:
            if error.code == ALREADY_THERE:
                moved += 1
            else:
                refused[run] = error.message
        except Exception as error:  # one run's surprise must not keep the others from moving
            if troubles.passes(error):
                raise
            _log.exception("alarm: moving the run %s", run)
            refused[run] = "Something went wrong here. Who runs the console finds it in the log."
    so_far: dict[str, Any] = {"done": move.done + len(part), "moved": moved, "refused": refused}
    MOVES.change(move.id, **so_far)
    return replace(move, **so_far)


KEPT = timedelta(days=90)
"""How long an ended move can be looked at. What it did to each run stays in the log."""


def expire(now: datetime) -> None:
    """Delete moves that ended longer ago than they are kept."""
    with transaction() as connection:
        connection.execute(sa.delete(table).where(table.c.status == "done", table.c.ended_at < now - KEPT))


ERASED = "The reason was erased."


def forget_reasons(connection: Connection, *, person: str | None = None, run_ids: Sequence[str] = ()) -> None:
    """Take the reasons out of moves that this person began, or that moved one of these runs: the log has them sealed."""
    theirs = sa.or_(
        table.c.person == person, table.c.runs.op("&&")(sa.cast(list(run_ids), sa.ARRAY(sa.Text)))
    )
    connection.execute(
        sa.update(table).where(theirs).values(reason=ERASED)
    )  # not empty: a move that goes on needs one


def _checked(old: Definition, new: Definition, steps: Mapping[str, str]) -> dict[str, str]:
    """The given targets. Raises Invalid with a detail for each step that is none."""
    before, after = ({step.id for step in each.document.steps} for each in (old, new))
    wrong = [
        {"field": f"steps.{step}", "reason": "No step of the former version."}
        for step in steps
        if step not in before
    ]
    wrong += [
        {"field": f"steps.{step}", "reason": "No step of the other version, or the start."}
        for step, target in steps.items()
        if target not in after or target == new.document.start.id
    ]
    if old.number == new.number:
        wrong.append({"field": "to", "reason": "Another version than the one that they have."})
    if wrong:
        raise Invalid(f"{wrong[0]['field']}: {wrong[0]['reason']}", details=wrong)
    return dict(steps)
