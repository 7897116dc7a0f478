"""Runs that a step of another run starts and waits for: sub-workflows, parallel branches, a body for each item of a loop.

When the step is done (`joins`): `all` must complete, and the first that does not is an error of the step; `any`: one is enough, and the others are cancelled;
`each` has ended, however; `none`: at once, they go on by themselves.

The step only says what it wants (`Completion.children`); everything else is done here, by one function that can run at any time and as often as you
like: it starts what is missing, ends what is no longer wanted, and goes on with the parent when enough have ended.
"""

import contextlib
import itertools
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from console import log, workflows
from console.auth import accounts
from console.core.documents.workflow import Workflow
from console.core.errors import Conflict, ConsoleError
from console.core.run import FINAL, NEXT_ITEM, Event, Run, commands, decisions
from console.core.run.origin import EACH, FREE, Fork, Parent, StartedBy
from console.infra import jobs
from console.infra.db.engine import fetch, hot_engine
from console.infra.db.run_reach import EVERY_RUN
from console.runs.commands import run_starts
from console.runs.engine.run_causes import passed_on
from console.runs.engine.stepping import plan_of
from console.runs.store.loaded_runs import Loaded
from console.runs.store.run_events import ENGINE
from console.runs.store.run_store import load, retried, write
from console.steps.base import NEXT, Child, joined
from console.workflows import Definition

logger = logging.getLogger(__name__)
DEEPEST = 5
AT_ONCE = 10  # so many runs of a step are live at once; the others begin when one of them has ended
LOOKS = 16  # of so many runs a process remembers how far those are that they wait for
TOO_DEEP = f"Runs start runs {DEEPEST} deep already: look whether workflows start each other in a circle."
STARTED_RUN = "The run that it started"
SUB_WORKFLOW = "run"  # the branch of a step that starts one run
NOT_WANTED = "The step that started it goes on without it."
ENDED_WITH = {
    "cancelled": "It ended with the run that started it, which was cancelled.",
    "aborted": "It ended with the run that started it, which was aborted.",
    "timed_out": "It ended with the run that started it, whose time was up.",
    "failed": "It ended with the run that started it, which failed.",
}
_CHILD = f"select r.id, r.branch, r.origin ->> 'key', r.status, r.ending, r.reason, r.created_at from {EVERY_RUN.sql()} where r.parent = %s"  # noqa: S608 (a text of ours)
_CHILDREN = f"{_CHILD} order by r.created_at, r.id"
_OF_WAIT = f"{_CHILD} and r.branch = any(%s) union {_CHILD} and r.ended_at is null order by 7, 1"
_NEAR = f"""
select r.run_seq, c.branch, c.status from {EVERY_RUN.sql()} left join {EVERY_RUN.sql("c")} on c.parent = r.id and c.branch = any(%s) and c.origin ->> 'key' = %s where r.id = %s
"""  # noqa: S608 (a text of ours)
_LIVE = f"select count(*) from {EVERY_RUN.sql()} where r.parent = %s and r.ended_at is null and r.label is null and r.origin ->> 'key' not like '%%:free'"  # noqa: S608 (a text of ours)
_CHANGES = f"""
with recursive part as (
    select r.id, r.waiting from {EVERY_RUN.sql()} where r.parent = %s and r.ended_at is null and r.label is null and r.origin ->> 'key' not like '%%:free'
    union all
    select r.id, r.waiting from part p join {EVERY_RUN.sql()} on r.parent = p.id where r.ended_at is null and r.origin ->> 'key' not like '%%:free'
) select exists (select from part where waiting ->> 'for' = 'effect')
"""  # noqa: S608 (a text of ours)
_LEFT = f"""
select r.id from {EVERY_RUN.sql()} where r.status = 'waiting_event' and r.waiting ->> 'for' = 'run' and r.active_at < now() - interval '5 seconds'
and not exists (select from {EVERY_RUN.sql("c")} where c.parent = r.id and c.ended_at is null)
union
select c.parent from {EVERY_RUN.sql("c")} join {EVERY_RUN.sql("p")} on p.id = c.parent where c.parent is not null and c.ended_at is null
and c.active_at < now() - interval '5 seconds' and c.origin ->> 'key' not like '%%:free' and (p.ended_at is not null or p.waiting ->> 'key' is distinct from c.origin ->> 'key')
limit %s
"""  # noqa: S608 (a text of ours)


@dataclass(frozen=True, slots=True)
class ChildRun:
    """A run that a step started; `key` is of the wait for which it was started."""

    id: str
    branch: str
    key: str | None
    status: str
    ending: str | None
    reason: str | None

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.status in FINAL


def children_of(run_id: str) -> list[ChildRun]:
    """The runs that steps of this run have started, the oldest first."""
    return [ChildRun(*row[:6]) for row in fetch(_CHILDREN, (run_id,))]


def live_parts(run_id: str) -> int:
    """How many live runs end with this one, because its steps have started them."""
    return int(fetch(_LIVE, (run_id,))[0][0])


def parts_change_outside(run_id: str) -> bool:
    """Whether one of those live runs, or of theirs, waits for what comes of a change outside. It is not called back when the run ends."""
    return bool(fetch(_CHANGES, (run_id,))[0][0])


def _of_wait(run: Run) -> list[ChildRun]:
    """Of the runs that steps of this run have started those that live, and those that the present step wants: of a long list the others are very many."""
    wanted = (
        [each["branch"] for each in run.attempt.values.get("children", ())] if run.attempt is not None else []
    )
    return [ChildRun(*row[:6]) for row in fetch(_OF_WAIT, (run.id, wanted, run.id))]


def requeue_parents() -> int:
    """Put in a job for each run whose children a crash left alone, and return how many."""
    return jobs.enqueue_all([jobs.tend(run_id, f"{run_id}:left") for (run_id,) in fetch(_LEFT, (1000,))])


@dataclass(slots=True)
class Look:
    """What a process knows of the runs that a step waits for, so that it does not read them all whenever one of very many has ended.

    Those that are `wanted` begin in their order: `begun` of them have, and `live` are those that had not ended.
    """

    loaded: Loaded
    definition: Definition
    key: str
    wanted: Sequence[Child]
    begun: int
    live: set[str]
    source: object = field(default_factory=hot_engine)
    until: float = field(default_factory=lambda: time.monotonic() + LOOK_S)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> None:
        """Begin as many as have room."""
        for child in self.wanted[self.begun : self.begun + max(0, AT_ONCE - len(self.live))]:
            _start(self.definition, self.loaded, self.key, child)
            self.begun, self.live = self.begun + 1, self.live | {child.branch}

    def goes_on(self) -> bool:
        """Begin those for which one has made room. False where all has to be read: the run has moved, one has failed that may not, or the last has ended."""
        if self.source is not hot_engine() or time.monotonic() > self.until:
            return False
        following = [child.branch for child in self.wanted[self.begun : self.begun + AT_ONCE]]
        rows = fetch(_NEAR, ([*self.live, *following], self.key, self.loaded.run.id))
        states = {(branch, status) for _, branch, status in rows if branch is not None}
        failed = any(status in FINAL and status != "completed" for _, status in states)
        if not rows or rows[0][0] != self.loaded.run.seq or (failed and not self.key.endswith(EACH)):
            return False
        by_others = {branch for branch, _ in states}.intersection(following)
        self.begun, self.live = (
            self.begun + len(by_others),
            {branch for branch, status in states if status not in FINAL},
        )
        if len(by_others) == AT_ONCE:
            return self.goes_on()  # another process is far ahead
        self.begin()
        return bool(self.live)


LOOK_S = 60.0
"""After this a process reads again what the runs are at."""
_looks: OrderedDict[str, Look] = OrderedDict()
"""Of runs that wait for very many others; the newest last."""


def wake_parent(run_id: str) -> None:
    """Look after the runs that the step of this run waits for. Idempotent: what a worker calls when it begins to wait, and when one of them has ended."""
    look = _looks.get(run_id)
    if look is not None and not jobs.paused() and not workflows.paused(look.definition):
        with look.turn, contextlib.suppress(ConsoleError):  # what is refused is told the run below
            if look.goes_on():
                return
    _looks.pop(run_id, None)
    _tend(run_id)


def _tend(run_id: str) -> None:
    loaded = load(run_id)
    if loaded is None:
        return
    run = loaded.run
    key = None if run.ended else run.joins
    known = _of_wait(run)
    for child in known:
        if not child.ended and child.key != key and not (child.key or "").endswith(FREE):
            _end(child.id, ENDED_WITH.get(run.status, NOT_WANTED))
    if key is None or jobs.paused():
        return
    definition = workflows.version(run.workflow, run.version)
    if workflows.paused(definition):
        return
    mine = {child.branch: child for child in known if child.key == key}
    if _judge(definition, loaded, key, mine) and not key.endswith(FREE):
        for child in mine.values():
            if not child.ended:
                _end(child.id, NOT_WANTED)


def _judge(definition: Definition, loaded: Loaded, key: str, mine: Mapping[str, ChildRun]) -> bool:
    """Start what is missing, or go on with the run; True if the run no longer waits."""
    run, attempt = loaded.run, loaded.run.attempt
    values = attempt.values if attempt is not None else {}
    wanted, until = [Child.of(each) for each in values.get("children", ())], values.get("until", "all")
    failed = [child for child in mine.values() if child.ended and child.status != "completed"]
    done = [child for child in mine.values() if child.status == "completed"]
    over = len(mine) == len(wanted) and all(child.ended for child in mine.values())
    if until == "all" and failed:
        return _go_on(definition, loaded, failure(key, failed[0], called(wanted, definition.document)))
    if over and until == "any" and not done:
        return _go_on(definition, loaded, failure(key, failed[0], called(wanted, definition.document)))
    if over or (until == "any" and done) or (until == "none" and len(mine) == len(wanted)):
        outcome = NEXT_ITEM if values.get(NEXT) else "default"
        return _go_on(
            definition, loaded, commands.Arrive(key, outcome, None, outputs(wanted, mine, _ended_run, values))
        )
    begun = sum(1 for _ in itertools.takewhile(lambda child: child.branch in mine, wanted))
    look = Look(
        loaded, definition, key, wanted, begun, {child.branch for child in mine.values() if not child.ended}
    )
    try:
        look.begin()
    except ConsoleError as error:
        return _go_on(definition, loaded, commands.Unanswered(key, error.code, error.message))
    if len(wanted) > AT_ONCE and until in ("all", "each"):
        _looks[run.id] = look
        if len(_looks) > LOOKS:
            _looks.popitem(last=False)
    return False


def called(wanted: Sequence[Child], document: Workflow) -> dict[str, str]:
    """Branch → the title of the step at which it begins; an item of a list keeps its key, for its title may be of a person."""
    titles = {step.id: step.title for step in document.steps}
    return {
        each.branch: each.branch if each.item is not None else titles.get(each.start or "", each.branch)
        for each in wanted
    }


def failure(key: str, child: ChildRun, names: Mapping[str, str]) -> commands.Unanswered:
    """What the run that waits is told of a run that did not complete. `names` are those of the branches."""
    words = {"aborted": "was aborted", "cancelled": "was cancelled", "timed_out": "took too long"}.get(
        child.status, "failed"
    )
    why = child.reason or ""
    if child.branch == SUB_WORKFLOW and why.startswith(STARTED_RUN):
        return commands.Unanswered(
            key, "child_failed", why
        )  # of several, one in the other, the innermost says why
    what = (
        STARTED_RUN
        if child.branch == SUB_WORKFLOW
        else f"The run for “{names.get(child.branch, child.branch)}”"
    )
    return commands.Unanswered(key, "child_failed", f"{what} {words}{f': {why}' if why else '.'}")


def _go_on(definition: Definition, loaded: Loaded, command: commands.Arrive | commands.Unanswered) -> bool:
    def once() -> bool:
        current = load(loaded.run.id) or loaded
        if current.run.ended or current.run.joins != command.key:
            return True
        events = decisions.decide(plan_of(definition), current.run, command, log.now())
        write(ENGINE, definition, current, events, hand_on=True)
        return True

    return retried(once)


def _start(definition: Definition, loaded: Loaded, key: str, child: Child) -> None:
    """Start the run of one branch; if it is there already, nothing."""
    run = loaded.run
    depth = 1 + int((run.origin or {}).get("depth") or 0)
    if depth > DEEPEST:
        raise Conflict(TOO_DEEP, code="too_deep")
    actor = accounts.actor_of_person(run.acts_for, "sys:engine")
    origin = StartedBy(run.attempt.step if run.attempt else "", "workflow", None, passed_on(run))
    hands_off = run_starts.HandsOff(
        origin=origin,
        key=f"{key}:{child.branch}",
        test=run.test,
        parent=Parent(run.id, child.branch, key, depth),
        alone=bool(child.alone),
    )
    if child.workflow is None:
        guided, own = (
            definition.document.run_as is None,
            run.attempt.step if run.attempt is not None and child.item is not None else None,
        )
        context = {
            step: left for step, left in run.context.items() if step != own
        }  # what a loop has done so far would be copied for each item
        fork = Fork(child.start or "", join_of(definition, run), context, child.item, guided)
        run_starts.begin_branch(actor, definition, loaded, fork, hands_off)
        return
    other = workflows.live(child.workflow)
    if (other.document.clearance or None) != run.label:
        raise Conflict(f"{other.title} needs another clearance than this run.", code="not_possible")
    about = (
        (child.collection or run.collection, child.record or run.record)
        if other.document.collection is not None
        else (None, None)
    )
    run_starts.try_start(actor, other.slug, *about, child.input, alone=True)
    account = actor if other.document.run_as is None else run_starts.account_of(other)
    try:
        run_starts.begin(account, other, *about, child.input, hands_off=hands_off)
    except Conflict:
        if not any(each.branch == child.branch and each.key == key for each in children_of(run.id)):
            raise  # else somebody has begun it meanwhile


def join_of(definition: Definition, run: Run) -> str | None:
    """The step that follows the one at which the run stands: there its branches end."""
    return definition.document.target(run.attempt.step, "default") if run.attempt is not None else None


EndedRun = Callable[[str], tuple[Run, Workflow] | None]
"""Id of a run that a step started → (the run, its workflow); None where it is gone."""


def _ended_run(run_id: str) -> tuple[Run, Workflow] | None:
    loaded = load(run_id)
    return (
        (loaded.run, workflows.version(loaded.run.workflow, loaded.run.version).document)
        if loaded is not None
        else None
    )


def outputs(
    wanted: Sequence[Child], mine: Mapping[str, ChildRun], ended: EndedRun, values: Mapping[str, Any]
) -> dict[str, Any]:
    """What later steps find as `steps.<id>`: of a sub-workflow its outputs, else by branch what its steps left. `values` are those of the step."""
    own = [child for child in wanted if child.branch in mine]
    if len(wanted) == 1 and wanted[0].workflow is not None and wanted[0].item is None:
        return _result(mine[wanted[0].branch], wanted[0], ended)
    if any(child.item is not None for child in wanted):
        rows = [
            {
                "key": child.branch,
                "status": mine[child.branch].status,
                **_result(mine[child.branch], child, ended),
            }
            for child in own
        ]
        return joined(rows, values)
    return {
        child.branch: {"status": mine[child.branch].status, **_result(mine[child.branch], child, ended)}
        for child in own
    }


def _result(child: ChildRun, wanted: Child, ended: EndedRun) -> dict[str, Any]:
    """The run's id and ending, with what its output steps name (of a sub-workflow) or what each of its steps left (of a branch)."""
    found = ended(child.id)
    run, document = found if found is not None else (Run(), None)
    context = dict(run.context)
    if wanted.workflow is None:
        before = (run.fork or {}).get("context", {})
        left = {
            step: output for step, output in context.items() if step not in before or before[step] != output
        }
    else:
        output_steps = (
            [step.id for step in document.steps if step.type == "output"] if document is not None else []
        )
        left = {name: value for step in output_steps for name, value in context.get(step, {}).items()}
    return {**left, "run": child.id, "ending": child.ending}


def _end(run_id: str, reason: str) -> None:
    """Cancel a run that nobody waits for any more, and with it those that it has started. A change under way is noted when its result comes."""

    def once() -> None:
        loaded = load(run_id)
        if loaded is None or loaded.run.ended:
            return
        definition = workflows.version(loaded.run.workflow, loaded.run.version)
        now, revision = log.now(), loaded.run.revision + 1
        open_data = {
            "former_holder": loaded.run.holder,
            "reason_code": "parent",
            "parent": loaded.run.parent,
            "revision": revision,
        }
        write(ENGINE, definition, loaded, [Event("run_cancelled", now, open_data, {"reason": reason})])

    retried(once)
