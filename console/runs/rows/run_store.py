"""Runs in the database: load what a command needs, write a transition as one statement, read the log as a run's events.

The run row is a bounded head; attempts, context and effects are rows of their own. A command loads the head with the open
attempt, a page that and the latest ones; a revision loads everything.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

import orjson
import psycopg

from console import faults, log, queue
from console.access.run_reach import EVERY_RUN
from console.core.actor import Actor
from console.core.run import Attempt, Effect, Event, Run, commands, copied, decisions, fold
from console.core.run.approval_request import Approval, Decided
from console.db.engine import fetch, hot_engine, transaction
from console.db.ids import uuid7_text
from console.errors import Conflict, ConsoleError, SourceDown
from console.runs.engine import into_inbox, proposing
from console.runs.rows import side_rows
from console.runs.rows.latest import LATEST, LEFT, MARKS, Left, latest, left_of
from console.workflows import Definition

ENGINE = Actor("system", "sys_engine", "Handrail")
TRIES = 30
KEPT_S = 60.0  # as long as the key of an erased subject may be kept
KEPT_MOST = 128
KEPT_BYTES = 128 * 1024
Answer = TypeVar("Answer")

_LOAD = """
select to_jsonb(r)::text, r.head,
       (select jsonb_agg(to_jsonb(a))::text from console.attempt a where a.run = r.id{here_a}),
       (select jsonb_agg(to_jsonb(e) order by e.n, e.number)::text from console.effect e where e.run = r.id{here_e}),
       (select jsonb_object_agg(c.step, c.output)::text from console.run_context c where c.run = r.id),
       {approvals}, {left}
from console.run r{beside} where r.id = %s and (%s or r.label is null or r.label = any(%s))
"""
_APPROVALS = "(select jsonb_agg(to_jsonb(p) order by p.requested_at, p.id)::text from console.approval p where p.run = r.id{here})"
_OPEN_APPROVALS = f"case when r.waiting ->> 'for' = 'approval' then {_APPROVALS.format(here=' and p.n = r.current')} end"
_SHOWN = f"> r.attempts - {LATEST} or {{n}} = any(marks.n)"
_LOAD_WHOLE = _LOAD.format(here_a="", here_e="", approvals=_APPROVALS.format(here=""), left="null", beside="")
_LOAD_HEAD = _LOAD.format(here_a=" and a.n = r.current", here_e=" and e.n = r.current", approvals=_OPEN_APPROVALS, left="null", beside="")
_LOAD_SHOWN = _LOAD.format(
    here_a=f" and (a.n {_SHOWN.format(n='a.n')})",
    here_e=f" and (e.n {_SHOWN.format(n='e.n')})",
    approvals=_APPROVALS.format(here=f" and (p.n {_SHOWN.format(n='p.n')})"),
    left=LEFT,
    beside=f" cross join lateral (select {MARKS} as n offset 0) marks",
)

RUN_COLUMNS = [
    "id",
    "workflow",
    "version",
    "status",
    "revision",
    "collection",
    "record",
    "team",
    "current",
    "visits",
    "holder",
    "last_holder",
    "active_at",
    "started_by",
    "waiting",
    "take_over",
    "ticket",
    "automatic",
    "input",
    "reason",
    "ending",
    "exclusive_key",
    "linked_to",
    "trigger",
    "worked_ms",
    "label",
    "created_at",
    "ended_at",
]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A run with what the log needs to go on: the hash of its last event, and whose values it holds.

    `whole` says that every attempt is there, `left` what of a long run is not where the latest are; with neither it is the open attempt alone.
    `until` is how long this process may go on from it without reading it again (monotonic seconds).
    """

    run: Run
    head: bytes
    subject: str | None
    whole: bool = True
    left: Left | None = None
    until: float = field(default=0.0, compare=False)

    @property
    def shows(self) -> bool:
        """Whether it has the attempts that a page shows."""
        return self.whole or self.left is not None


def load(run_id: str, *, whole: bool = False, shown: bool = False, cleared: frozenset[str] | None = None) -> Loaded | None:
    """The run, None where there is none, or one with a label that is not among those `cleared` (None: whatever its label), which takes as long.

    `whole` brings every attempt, `shown` those that a page shows, else it is the open one alone. One statement.
    """
    statement = _LOAD_WHOLE if whole else _LOAD_SHOWN if shown else _LOAD_HEAD
    rows = fetch(statement, (run_id, cleared is None, sorted(cleared or ()))) if "\x00" not in run_id else []
    if not rows:
        return None
    row, head, attempts, effects, context, approvals, left = rows[0]
    told = orjson.loads(row)
    run = Run(**{name: told[name] for name in RUN_COLUMNS})
    run.seq, run.made = told["run_seq"], told["attempts"]
    for name in ("created_at", "ended_at", "active_at"):
        value = getattr(run, name)
        setattr(run, name, datetime.fromisoformat(value) if value else None)
    run.context = orjson.loads(context) if context else {}
    run.attempts = _attempts(*(orjson.loads(found) if found else [] for found in (attempts, effects, approvals)))
    size = len(row) + sum(len(part or "") for part in (attempts, effects, approvals, context))
    until = time.monotonic() + KEPT_S if size <= KEPT_BYTES else 0.0
    return Loaded(run, bytes(head), told["subject"], whole or (shown and left is None), left_of(run, left), until)


def _attempts(
    rows: Sequence[Mapping[str, Any]], effects: Sequence[Mapping[str, Any]], approvals: Sequence[Mapping[str, Any]]
) -> dict[int, Attempt]:
    of: dict[int, list[Effect]] = {}
    asked: dict[int, list[Approval]] = {}
    for row in approvals:
        asked.setdefault(row["n"], []).append(approval_of(row))
    for row in effects:
        of.setdefault(row["n"], []).append(
            Effect(
                *(row["id"], row["number"], row["kind"], row["summary"], row["status"], row["request"]),
                requested_at=datetime.fromisoformat(row["requested_at"]),
                settled_at=datetime.fromisoformat(row["settled_at"]) if row["settled_at"] else None,
                result=row["result"],
                compensates=row["compensates"],
                keeps=row["keeps"],
            )
        )
    return {
        row["n"]: _attempt(row, tuple(of.get(row["n"], ())), tuple(asked.get(row["n"], ())))
        for row in sorted(rows, key=lambda row: row["n"])
    }


def approval_of(row: Mapping[str, Any]) -> Approval:
    """An approval from a row of its table, as JSON has it."""
    told = {
        name: row[name]
        for name in ("id", "action", "status", "requested_by", "collection", "record", "values", "needs", "shown", "decides")
    }
    decided = (Decided(each["by"], datetime.fromisoformat(each["at"]), each["decision"], each["reason"]) for each in row["decided"])
    return Approval(
        **told,
        requested_at=datetime.fromisoformat(row["requested_at"]),
        wishes=tuple(row["wishes"]),
        decided=tuple(decided),
        roles=tuple(row["roles"]),
        not_by=tuple(row["not_by"]),
        why=row["why"] or "",
        until=datetime.fromisoformat(row["until"]) if row["until"] else None,
    )


def _attempt(row: Mapping[str, Any], effects: tuple[Effect, ...], approvals: tuple[Approval, ...]) -> Attempt:
    return Attempt(
        *(row["n"], row["step"], row["attempt"], row["status"]),
        entered_at=datetime.fromisoformat(row["entered_at"]),
        completed_at=datetime.fromisoformat(row["completed_at"]) if row["completed_at"] else None,
        by=row["by"],
        outcome=row["outcome"],
        values=row["values"],
        output=row["output"],
        handled_manually=row["handled_manually"],
        replaces=row["replaces"],
        revised=row["revised"],
        defaults=row["defaults"],
        errors=row["errors"],
        effects=effects,
        approvals=approvals,
        proposal=row["proposal"],
    )


def run_row(run: Run, subject: str | None, *, keep_draft: bool = False) -> dict[str, Any]:
    """The head as the database function takes it; `keep_draft` leaves what was typed at the open attempt."""
    row = {name: getattr(run, name) for name in RUN_COLUMNS}
    row |= {name: log.body.moment(row[name]) if row[name] else None for name in ("created_at", "ended_at", "active_at")}
    put_down = row["active_at"] if run.holder is None else None
    return row | {"put_down_at": put_down, "attempts": run.made, "subject": subject, "keep_draft": run.current if keep_draft else None}


def attempt_row(run_id: str, attempt: Attempt) -> dict[str, Any]:
    """An attempt as a row of its table."""
    return {
        "run": run_id,
        **{
            name: getattr(attempt, name)
            for name in [
                "n",
                "step",
                "attempt",
                "status",
                "by",
                "outcome",
                "output",
                "handled_manually",
                "replaces",
                "revised",
                "defaults",
                "errors",
                "proposal",
            ]
        },
        "values": dict(attempt.values),
        "entered_at": log.body.moment(attempt.entered_at),
        "completed_at": log.body.moment(attempt.completed_at) if attempt.completed_at else None,
    }


def effect_row(run_id: str, n: int, effect: Effect) -> dict[str, Any]:
    """An effect as a row of its table."""
    return {
        "run": run_id,
        "n": n,
        **{name: getattr(effect, name) for name in ["id", "number", "kind", "status", "summary", "result", "compensates", "keeps"]},
        "request": dict(effect.request),
        "requested_at": log.body.moment(effect.requested_at),
        "settled_at": log.body.moment(effect.settled_at) if effect.settled_at else None,
    }


def approval_row(run: Run, attempt: Attempt, approval: Approval, subject: str | None) -> dict[str, Any]:
    """An approval as a row of its table; `subject` is whose values it holds."""
    names = ["id", "action", "collection", "record", "status", "requested_by", "needs", "decides"]
    return {
        "run": run.id,
        **{name: getattr(attempt, name) for name in ["n", "step", "attempt"]},
        **{name: getattr(approval, name) for name in names},
        "team": run.team,
        "label": run.label,
        "requested_at": log.body.moment(approval.requested_at),
        "values": dict(approval.values),
        "wishes": [dict(wish) for wish in approval.wishes],
        "decided": [decided_json(each) for each in approval.decided],
        "roles": list(approval.roles),
        "not_by": list(approval.not_by),
        "why": approval.why or None,
        "until": log.body.moment(approval.until) if approval.until else None,
        "shown": dict(approval.shown),
        "subject": subject,
    }


def decided_json(decided: Decided) -> dict[str, Any]:
    """One person's answer as programs read it."""
    return {"by": decided.by, "at": log.body.moment(decided.at), "decision": decided.decision, "reason": decided.reason}


def changes(
    before: Run, after: Run, subject: str | None, *, keep_draft: bool = False, shown: Mapping[str, Any] | None = None
) -> log.Projection:
    """The rows that differ between two states of a run, and what was shown of it."""
    changed = [attempt for n, attempt in after.attempts.items() if before.attempts.get(n) is not attempt]
    known = {effect.id: effect for attempt in before.attempts.values() for effect in attempt.effects}
    effects = [
        effect_row(after.id, attempt.n, effect) for attempt in changed for effect in attempt.effects if known.get(effect.id) is not effect
    ]
    asked = {approval.id: approval for attempt in before.attempts.values() for approval in attempt.approvals}
    approvals = [
        approval_row(after, attempt, approval, subject)
        for attempt in changed
        for approval in attempt.approvals
        if asked.get(approval.id) is not approval
    ]
    context: dict[str, Any] = {step: output for step, output in after.context.items() if before.context.get(step) is not output}
    forgotten = [step for step in before.context if step not in after.context]
    left = _left_inbox(before, after)
    return log.Projection(
        run=run_row(after, subject, keep_draft=keep_draft)
        | ({"forgotten": forgotten} if forgotten else {})
        | ({"approvals": approvals} if approvals else {})
        | ({"left_inbox": left} if left is not None else {}),
        attempts=[attempt_row(after.id, attempt) for attempt in changed],
        context=context if context or forgotten else None,
        effects=effects,
        shown=shown,
    )


def _left_inbox(before: Run, after: Run) -> str | None:
    """The inbox that somebody has taken the run out of."""
    was, is_in = ((run.ticket or {}).get("inbox") for run in (before, after))
    return was if is_in is None and after.holder is not None else None


def frames(actor: Actor, definition: Definition, run: Run) -> tuple[log.Frame, log.Frame]:
    """Who is named in the events of a transition: the person, and the engine for what follows by itself."""
    about: dict[str, Any] = {"workflow": {"id": definition.id, "version": definition.number, "hash": definition.hash}}
    about["label"] = run.label
    if run.collection is not None:
        about["target"] = {"source": None, "coll": run.collection, "key": run.record}
    return log.frame_of(actor, run.team, **about), log.frame_of(ENGINE, run.team, **about)


def links(
    actor: Actor, definition: Definition, before: Loaded | None, after: Run, events: Sequence[Event], *, told: bool = False
) -> list[log.Link]:
    """The events as links of the run's chain; `told` where they are as the log tells them already."""
    person, engine = frames(actor, definition, after)
    seq, head = (before.run.seq, before.head) if before else (0, b"")
    made = []
    for event in events:
        seq += 1
        fact = log.Fact(uuid7_text(), event.type, event.at, event.open, event.sealed, event.step, told=told)
        made.append(log.link(fact, after.id, seq, head, person if event.by else engine))
        head = made[-1].leaf
    return made


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
) -> Loaded:
    """Commit the events with the rows they change: one statement, one transaction. Answers the run as it stands then.

    `hand_on`: where the run has to be moved further, a job for that is put in by the same statement.

    Raises log.Moved when the run has moved since it was read, Conflict `run_is_live` for a second start.
    """
    state = before.run if before else Run()
    events = [_as_told(event) for event in events]  # the run goes on from what a reader of the log will find: numbers as texts, and so on
    after = fold(events, state)
    if nobody := into_inbox.put(definition, state, after, events, actor.id):
        events = [*events, *nobody]
        after = fold(nobody, after)
    keep_draft = keep_draft or _untouched(
        state, after
    )  # that something is proposed to whoever takes over is no reason to lose what was typed
    asks = proposing.request_proposal(definition, after, events[-1].at, anew=any(event.type in proposing.TAKEN_UP for event in events))
    if asks is not None:
        events = [*events, _as_told(asks)]
        after = fold(events[-1:], after)
    whose = before.subject if before else subject
    made = links(actor, definition, before, after, events, told=True)
    rows = changes(state, after, whose, keep_draft=keep_draft, shown=shown)
    job = queue.advance(after.id, after.seq) if hand_on and after.status == "running" else None
    call = next((event.open["call"] for event in reversed(events) if event.type == "proposal_requested"), None)
    job = queue.propose(call) if call is not None else job
    faults.point("runs.write.before")
    try:
        if side_rows.concerns(events):
            with transaction() as connection:
                log.write(after.id, state.seq, made, subject=whose, projection=rows, job=job, connection=connection)
                side_rows.write(connection, state, after, whose, events)
        else:
            log.write(after.id, state.seq, made, subject=whose, projection=rows, job=job)
    except psycopg.errors.UniqueViolation as error:
        if error.diag.constraint_name == "run_one_live":
            raise LiveRun(after.exclusive_key or "") from error
        raise
    faults.point("runs.write.after")
    if before is None:
        written = Loaded(after, made[-1].leaf, whose, until=time.monotonic() + KEPT_S)
    else:
        if not before.shows:
            after.attempts = _head(after)
        written = Loaded(after, made[-1].leaf, whose, before.whole, before.left, before.until)
    _remember(as_shown(written))
    return written


def as_shown(loaded: Loaded) -> Loaded:
    """The run with the attempts that a page shows, where it has more of them."""
    if not loaded.shows:
        return loaded
    attempts, left = latest(loaded.run, loaded.left)
    if left is loaded.left:
        return loaded
    run = copied(loaded.run)
    run.attempts = attempts
    return replace(loaded, run=run, whole=False, left=left)


def _untouched(before: Run, after: Run) -> bool:
    """Whether no attempt differs."""
    return after.attempts.keys() == before.attempts.keys() and all(after.attempts[n] is each for n, each in before.attempts.items())


def _head(run: Run) -> dict[int, Attempt]:
    """The open attempt alone, as a command's run has it."""
    return {n: attempt for n, attempt in run.attempts.items() if n == run.current}


_recent: OrderedDict[str, tuple[object, Loaded]] = OrderedDict()
"""Runs as this process left them, with the engine through which it wrote them; the newest last."""


def _remember(loaded: Loaded) -> None:
    _recent.pop(loaded.run.id, None)
    if not loaded.run.ended and time.monotonic() < loaded.until:
        _recent[loaded.run.id] = (hot_engine(), loaded)
        if len(_recent) > KEPT_MOST:
            _recent.popitem(last=False)


def _recalled(run_id: str, revision: int | None, *, shown: bool) -> Loaded | None:
    source, loaded = _recent.get(run_id, (None, None))
    if loaded is None or source is not hot_engine() or time.monotonic() >= loaded.until or (shown and not loaded.shows):
        return None
    if revision is not None and revision != loaded.run.revision:  # another process has moved it, or the form is an old one
        return None
    if shown or not loaded.shows:
        return loaded
    run = copied(loaded.run)
    run.attempts = _head(run)
    return replace(loaded, run=run, whole=False, left=None)


def recalled(run_id: str, revision: int | None, attempt: Callable[[Loaded | None], Answer], *, shown: bool = False) -> Answer:
    """`attempt`, which must end with `write`, on the run as this process left it at that revision, which saves the reading; where that refuses or
    finds that the run has moved, as `retried` on the run as it is: a wrong memory costs a second try, for the database compares it before it writes.
    """
    kept = _recalled(run_id, revision, shown=shown)
    if kept is not None:
        try:
            return attempt(kept)
        except SourceDown:
            raise
        except (log.Moved, ConsoleError):
            _recent.pop(run_id, None)
    return retried(lambda: attempt(None))


def further(loaded: Loaded, events: Sequence[Event]) -> Loaded:
    """The run as it will stand after these events, before they are written: to decide what follows from them."""
    return replace(loaded, run=fold([_as_told(event) for event in events], loaded.run))


def _as_told(event: Event) -> Event:
    return Event(event.type, event.at, log.body.plain(event.open), log.body.plain(event.sealed, -2), event.step, event.by)


class LiveRun(Conflict):
    """A run of this workflow is already ongoing on this record."""

    default_code = "run_is_live"

    def __init__(self, exclusive_key: str) -> None:
        super().__init__("A run of this workflow is already ongoing on this record.")
        self.exclusive_key = exclusive_key


def live_run(exclusive_key: str) -> str | None:
    """The run that holds the key, None where there is none any more."""
    rows = fetch(f"select r.id from {EVERY_RUN.sql()} where r.exclusive_key = %s and r.ended_at is null", (exclusive_key,))  # noqa: S608 (a text of ours)
    return rows[0][0] if rows else None


def retried(attempt: Callable[[], Answer]) -> Answer:
    """`attempt` again as long as it finds that the run has moved while it was deciding (somebody looked at it)."""
    for _ in range(TRIES):
        try:
            return attempt()
        except log.Moved:
            continue
    raise Conflict("This run is being changed by others at the same time; try again.", code="stale_revision")


def as_event(stored: log.Stored) -> Event:
    """An event of the log as the rules know it."""
    actor, step = stored.body["actor"], stored.body["step"]
    by = actor["id"] if actor["kind"] in ("user", "key") else None
    return Event(stored.type, stored.at, stored.open, stored.values, (step["id"], step["attempt"]) if step else None, by, stored.n)


def decide(plan: commands.Plan, loaded: Loaded, command: commands.Command, now: datetime) -> list[Event]:
    """The events that the command makes of the run as it was loaded."""
    return decisions.decide(plan, loaded.run, command, now)
