"""Reading and writing runs: load what a command or a page needs, commit the events of a transition with all rows that they change.

The run row is bounded; attempts, context and effects are rows of their own. A command loads the run with its open attempt, a page with the
latest attempts, a revision with all of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

import orjson
import psycopg
from sqlalchemy.engine import Connection

from console import log
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, SourceDown
from console.core.run import Attempt, Event, Run, copied, fold
from console.core.run.causes import causes_from_json
from console.core.run.entry_events import with_told_entries
from console.core.run.origin import HANDS_OFF
from console.infra import faults, jobs
from console.infra.db.engine import fetch, transaction
from console.infra.db.run_reach import EVERY_RUN
from console.runs.engine import inbox_placement, proposing
from console.runs.store import recent_runs, side_rows, typed_drafts
from console.runs.store.latest import LATEST, LEFT, MARKS, left_of
from console.runs.store.loaded_runs import Loaded, open_attempt_only
from console.runs.store.run_rows import RUN_COLUMNS, as_stored, attempts_from_rows, changed_rows, links
from console.workflows import Definition

TRIES = 30
Answer = TypeVar("Answer")
Also: TypeAlias = Callable[[Connection, str], None]
"""What is written with a run, by its id, in the same transaction."""


@dataclass(frozen=True, slots=True)
class AtOnce:
    """The same for what one statement can write: `beside` the transition, where the run's own rows need no other."""

    write: Also
    beside: Callable[[], log.Beside]

    def __call__(self, connection: Connection, run_id: str) -> None:
        """Write it in the transaction of `connection`."""
        self.write(connection, run_id)


_LOAD = """
select to_jsonb(r)::text, r.head,
       (select jsonb_agg(to_jsonb(a))::text from console.attempt a where a.run = r.id{here_a}),
       (select jsonb_agg(to_jsonb(e) order by e.n, e.number)::text from console.effect e where e.run = r.id{here_e}),
       (select jsonb_object_agg(c.step, c.output)::text from console.run_context c where c.run = r.id),
       {approvals}, {left}
from console.run r{beside} where r.id {these} (%s) and (%s or r.label is null or r.label = any(%s))
"""
_APPROVALS = "(select jsonb_agg(to_jsonb(p) order by p.requested_at, p.id)::text from console.approval p where p.run = r.id{here})"
_OPEN_APPROVALS = (
    f"case when r.waiting ->> 'for' = 'approval' then {_APPROVALS.format(here=' and p.n = r.current')} end"
)
_SHOWN = f"> r.attempts - {LATEST} or {{n}} = any(marks.n)"
_LOAD_WHOLE = _LOAD.format(
    these="=", here_a="", here_e="", approvals=_APPROVALS.format(here=""), left="null", beside=""
)
_HEAD = {
    "here_a": " and a.n = r.current",
    "here_e": " and e.n = r.current",
    "approvals": _OPEN_APPROVALS,
    "left": "null",
    "beside": "",
}
_LOAD_HEAD = _LOAD.format(these="=", **_HEAD)
_FORMER = """
select to_jsonb(a), (select jsonb_agg(to_jsonb(e) order by e.number) from console.effect e where e.run = a.run and e.n = a.n)
from console.attempt a where a.run = %s and a.step = %s and a.n < %s order by a.n desc limit 1
"""
_LOAD_SHOWN = _LOAD.format(
    these="=",
    here_a=f" and (a.n {_SHOWN.format(n='a.n')})",
    here_e=f" and (e.n {_SHOWN.format(n='e.n')})",
    approvals=_APPROVALS.format(here=f" and (p.n {_SHOWN.format(n='p.n')})"),
    left=LEFT,
    beside=f" cross join lateral (select {MARKS} as n offset 0) marks",
)


class LiveRun(Conflict):
    """A run of this workflow is already ongoing on this record."""

    default_code = "run_is_live"

    def __init__(self, exclusive_key: str) -> None:
        super().__init__("A run of this workflow is already ongoing on this record.")
        self.exclusive_key = exclusive_key


class StartedAlready(Conflict):
    """A run was started with this key before."""

    default_code = "started_already"

    def __init__(self, run_id: str) -> None:
        super().__init__("A run was started with this key before.")
        self.run_id = run_id


def load(
    run_id: str, *, whole: bool = False, shown: bool = False, cleared: frozenset[str] | None = None
) -> Loaded | None:
    """The run, in one statement; None where there is none, or its label is not among those `cleared` (None: any label).

    `whole` loads every attempt, `shown` those that a page shows; else only the open one. Both answers of None take equally long.
    """
    statement = _LOAD_WHOLE if whole else _LOAD_SHOWN if shown else _LOAD_HEAD
    rows = (
        fetch(statement, (run_id, str(cleared is None), sorted(cleared or ())))
        if "\x00" not in run_id
        else []
    )
    return _loaded(rows[0], whole=whole, shown=shown) if rows else None


def _loaded(stored: Sequence[Any], *, whole: bool = False, shown: bool = False) -> Loaded:
    row, head, attempts, effects, context, approvals, left = stored
    columns = orjson.loads(row)
    run = Run(**{name: columns[name] for name in RUN_COLUMNS})
    run.seq, run.made, run.caused_by = (
        columns["run_seq"],
        columns["attempts"],
        causes_from_json(columns["caused_by"]),
    )
    for name in ("created_at", "ended_at", "active_at"):
        value = getattr(run, name)
        setattr(run, name, datetime.fromisoformat(value) if value else None)
    run.context = orjson.loads(context) if context else {}
    run.attempts = attempts_from_rows(
        *(orjson.loads(each) if each else [] for each in (attempts, effects, approvals))
    )
    return Loaded(run, bytes(head), columns["subject"], whole or (shown and left is None), left_of(run, left))


def former_attempt(run_id: str, step: str, before: int) -> Attempt | None:
    """The last attempt of this step whose number is smaller, with its effects; without its approvals."""
    rows = fetch(_FORMER, (run_id, step, before))
    return next(iter(attempts_from_rows([rows[0][0]], rows[0][1] or (), ()).values())) if rows else None


def write(
    actor: Actor,
    definition: Definition,
    before: Loaded | None,
    events: Sequence[Event],
    *,
    subject: str | None = None,
    keep_draft: bool = False,
    shown: Mapping[str, Any] | None = None,
    hand_on: bool = False,
    after: Run | None = None,
    also: Also | None = None,
) -> Loaded:
    """Commit the events with the rows they change: one statement, one transaction. Answers the run as it stands then.

    `hand_on`: where automatic steps follow, the same statement puts in a job for them. `after` is the run after the events, if that is known; the values of
    the events are in the log's form then, as `as_stored` makes them. `also` writes in the same transaction; what it raises takes all back.
    Raises log.Moved when the run has moved since it was read, Conflict `run_is_live` for a second start.
    """
    state = before.run if before else Run()
    whose = before.subject if before else subject
    # the run goes on from what a reader of the log will find, not from the values as they were typed
    events = list(events) if after is not None else [as_stored(event) for event in events]
    if state.hands_off or (not state.id and events[0].open.get("mode") == HANDS_OFF):
        events = with_told_entries(events)
        after = numbered(after, state.seq + len(events)) if after is not None else None
    events, after, moved = with_consequences(actor, definition, state, events, after)
    seq, head = (state.seq, before.head) if before else (0, b"")
    if moved and (not keep_draft or after.current != state.current):
        also = _with_screen_draft(definition, state, after, whose, also)
    made = links(actor, definition, after, events, seq=seq, head=head, plain=True)
    rows = changed_rows(state, after, whose, keep_draft=keep_draft or not moved, shown=shown)
    faults.point("runs.write.before")
    _commit(state, after, whose, events, made, rows, next_job(state, after, events, hand_on=hand_on), also)
    faults.point("runs.write.after")
    if before is None:
        written = Loaded(after, made[-1].leaf, whose)
    else:
        if not before.shows:
            after.attempts = open_attempt_only(after)
        written = replace(before, run=after, head=made[-1].leaf)
    recent_runs.remember(written)
    return written


def _with_screen_draft(
    definition: Definition, state: Run, after: Run, subject: str | None, also: Also | None
) -> Also | None:
    """What is written with the run, and the draft of its screen where the run stays on it: at a step below, or at another item of a list."""
    left, entered = state.attempt, after.attempt
    if left is None or entered is None:
        return also
    passed = [after.attempts[n].values or {} for n in range(left.n, entered.n + 1) if n in after.attempts]
    done = {str(values["item"]) for values in passed if values.get("item") is not None}
    below = definition.document.gathered_after(left.step)
    if done and entered.step == left.step:
        draft = typed_drafts.left_of_items(state.id, left.n, subject, done)
    elif below and (entered.n == left.n or entered.step in below):
        draft = typed_drafts.left_on_screen(state.id, left.n, subject, entered.step)
    else:
        return also
    if draft is None:
        return also

    def both(connection: Connection, run_id: str) -> None:
        n, person = entered.n, draft.by
        typed_drafts.put(connection, run_id, n, person, subject or "", draft.values, draft.saved_at)
        if also is not None:
            also(connection, run_id)

    return both


def numbered(run: Run, seq: int) -> Run:
    """The run as it is after its event number `seq`, where its events were told in fewer."""
    after = copied(run)
    after.seq = seq
    return after


def with_consequences(
    actor: Actor, definition: Definition, state: Run, events: list[Event], after: Run | None = None
) -> tuple[list[Event], Run, bool]:
    """(the events with those that follow at once, the run after them, whether an attempt has changed). `after` is the run after `events`, if that is known.

    What follows: the run goes into an inbox where nobody can go on with it, and a proposal is requested for the person at the next form.
    """
    after = fold(events, state) if after is None else after
    trouble = (
        inbox_placement.UNHELD_TROUBLE
        if after.hands_off and after.holder is None
        else inbox_placement.TROUBLE
    )
    if after.status == "waiting_person" and any(event.type in trouble for event in events):
        into_inbox_events = inbox_placement.no_one_left_events(
            definition, state, after, events[-1].at, actor.id
        )
        events = [*events, *into_inbox_events]
        after = fold(into_inbox_events, after)
    # judged before the proposal is requested: a proposal for whoever takes over is no reason to delete the draft
    moved = after.attempts.keys() != state.attempts.keys() or any(
        after.attempts[n] is not each for n, each in state.attempts.items()
    )
    anew = any(event.type in proposing.TAKEN_UP for event in events)
    request = proposing.request_proposal(definition, after, events[-1].at, anew=anew)
    if request is not None:
        events = [*events, as_stored(request)]
        after = fold(events[-1:], after)
    return events, after, moved


def next_job(before: Run, after: Run, events: Sequence[Event], *, hand_on: bool) -> jobs.Job | None:
    """The job that goes on with the run: the call to a model that was requested last, the automatic steps, or the runs that its step waits for."""
    call = next(
        (event.open["call"] for event in reversed(events) if event.type == "proposal_requested"), None
    )
    if call is not None:
        return jobs.propose(call)
    if hand_on and after.status == "running":
        return jobs.advance(after.id, after.seq, hands_off=after.hands_off)
    if after.ended and after.parent is not None:
        return jobs.tend(after.parent, after.id)
    return jobs.tend(after.id, f"{after.id}:{after.seq}") if after.joins != before.joins else None


def _commit(
    state: Run,
    after: Run,
    subject: str | None,
    events: Sequence[Event],
    made: list[log.Link],
    rows: log.Projection,
    job: jobs.Job | None,
    also: Also | None,
) -> None:
    try:
        several = side_rows.creates(events) or side_rows.drops_message(state, after, events)
        job = job or (side_rows.sending_job(events) if several else None)
        message = side_rows.message_alone(state, after, subject, events, job) if several else None
        if (also is None or isinstance(also, AtOnce)) and (message is not None or not several):
            beside = replace(also.beside() if also is not None else log.Beside(), then=message)
            log.write(after.id, state.seq, made, subject=subject, projection=rows, job=job, beside=beside)
        else:
            with transaction() as connection:
                log.write(
                    after.id,
                    state.seq,
                    made,
                    subject=subject,
                    projection=rows,
                    job=job,
                    connection=connection,
                )
                side_rows.write(connection, state, after, subject, events, job)
                if also is not None:
                    also(connection, after.id)
    except psycopg.errors.UniqueViolation as error:
        if (
            after.start_key is not None
            and not state.id
            and (known := started_with(after.start_key)) is not None
        ):
            raise StartedAlready(known) from error
        if error.diag.constraint_name == "run_one_live":
            raise LiveRun(after.exclusive_key or "") from error
        raise


def after_events(loaded: Loaded, events: Sequence[Event]) -> Loaded:
    """The run as it will stand after these events, before they are written: to decide what follows from them."""
    return after_stored(loaded, [as_stored(event) for event in events])


def after_stored(loaded: Loaded, events: Sequence[Event]) -> Loaded:
    """The run as it will stand after these events, whose values are in the log's form already."""
    return replace(loaded, run=fold(events, loaded.run))


_LIVE = f"select r.id from {EVERY_RUN.sql()} where r.exclusive_key = %s and r.ended_at is null"  # noqa: S608 (a text of ours)
_INSIDE = f"""
{_LIVE} union all select f.run from console.firing f where f.exclusive_key = %s and f.status = 'waiting' and f.run is distinct from %s
union all select e.id from console.enrolment e where e.workflow = split_part(%s, '|', 1) and e.who = substr(%s, strpos(%s, '|') + 1)
    and e.left_at is null and e.run is null and e.id is distinct from %s limit 1
"""  # noqa: S608 (texts of ours)
_LIVE_OF = f"""
select r.exclusive_key from {EVERY_RUN.sql()} where r.exclusive_key = any(%s) and r.ended_at is null
union all select k.key from unnest(%s::text[]) as k (key) join console.enrolment e on e.workflow = split_part(k.key, '|', 1) and e.who = substr(k.key, strpos(k.key, '|') + 1)
where e.left_at is null and e.run is null and e.id <> all(%s)
"""  # noqa: S608 (a text of ours)


def live_run(exclusive_key: str) -> str | None:
    """The id of the live run that holds the key; None where there is none."""
    rows = fetch(_LIVE, (exclusive_key,))
    return rows[0][0] if rows else None


def find_conflict(exclusive_key: str, *, promised: str | None, lead: str | None) -> str | None:
    """The id of the live run that holds the key, or of a run that was promised and will hold it, but `promised`, or of the place of who waits to begin and will hold it, but `lead`."""
    rows = fetch(_INSIDE, (*[exclusive_key] * 2, promised, *[exclusive_key] * 3, lead))
    return rows[0][0] if rows else None


def inside_of(exclusive_keys: Sequence[str], leads: Sequence[str]) -> set[str]:
    """Which of these keys a live run holds, or somebody who waits to begin and is none of these leads."""
    keys = list(exclusive_keys)
    return {row[0] for row in fetch(_LIVE_OF, (keys, keys, list(leads)))} if keys else set()


def started_with_any(start_keys: Sequence[str]) -> dict[str, str]:
    """Key → id of the runs that were started with these keys."""
    return dict(
        fetch(
            f"select r.start_key, r.id from {EVERY_RUN.sql()} where r.start_key = any(%s)",  # noqa: S608 (a text of ours)
            (list(start_keys),),
        )
    )


def started_with(start_key: str) -> str | None:
    """The id of the run that was started with this key."""
    rows = fetch(f"select r.id from {EVERY_RUN.sql()} where r.start_key = %s", (start_key,))  # noqa: S608 (a text of ours)
    return rows[0][0] if rows else None


def retried(attempt: Callable[[], Answer]) -> Answer:
    """The answer of `attempt`, which is called again as long as the run moves while it decides (somebody looked at it).

    Raises Conflict `stale_revision` after 30 tries.
    """
    for _ in range(TRIES):
        try:
            return attempt()
        except log.Moved:
            continue
    raise Conflict("This run is being changed by others at the same time; try again.", code="stale_revision")


def retried_from_memory(
    run_id: str, revision: int | None, attempt: Callable[[Loaded | None], Answer], *, shown: bool = False
) -> Answer:
    """As `retried`, but the first try gets the run as this process wrote it last, if it did. `attempt` must end with `write`.

    Where that try is refused or the run has moved, `attempt` is called with None and reads the run.
    """
    recent = recent_runs.recent_run(run_id, revision, shown=shown)
    if recent is not None:
        try:
            return attempt(recent)
        except SourceDown:
            raise
        except (log.Moved, ConsoleError):
            recent_runs.forget(run_id)
    return retried(lambda: attempt(None))
