"""Due times: the working time in which a run or a ticket has to end, who gets a notice on the way, and the inbox it goes to when it is late.

A clock is computed, not ticked: the working time since the run began (the ticket came in), less the attempts at steps that wait for somebody outside. So it adds up
whatever the worker missed. At each part of the time something is done once; of what was missed, only the last of its kind.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy.dialects.postgresql import JSONB

from console import log, records, runs, steps, workflows
from console.auth import access, accounts, notify
from console.core import scopes
from console.core.actor import Actor
from console.core.documents import json_shape
from console.core.errors import ConsoleError, Invalid, NotFound
from console.core.moments import is_zone
from console.core.run import Run, commands, decisions
from console.core.scopes import Scope
from console.core.seen_before import require_unchanged
from console.core.working_time import DAYS, Day, Hours, after, worked_seconds
from console.infra import jobs
from console.infra.db import tables
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id
from console.infra.jobs import background
from console.infra.jobs.background import Stopping
from console.runs.commands.transitions import holder_draft
from console.runs.engine.stepping import plan_of
from console.runs.store.run_store import load, retried, write
from console.runs.views import lists
from console.runs.views.lists import RunHead
from console.workflows import OBJECT, Known, inboxes

logger = logging.getLogger(__name__)
ALWAYS = Hours()
NO_HOURS = "The hours must end after they begin."
AT_ONCE = 500
MOST_STAGES = 10
LONGEST_MINUTES = 525_600
COLUMNS = (
    "id",
    "workflow",
    "inbox",
    "minutes",
    "zone",
    "days",
    "opens",
    "closes",
    "holidays",
    "stages",
    "approvals",
)
RULE = f"select {', '.join(COLUMNS)} from console.due_rule"  # noqa: S608 (names of this file)
_CANDIDATES = f"""
select r.id, d.id from console.due_rule d join {access.EVERY_RUN.sql()} on r.ended_at is null and (r.workflow = d.workflow or r.ticket ->> 'inbox' = d.inbox)
left join console.due_clock c on c.rule = d.id and c.run = r.id
where c.run is null or c.next_at <= now() or (d.inbox is not null and c.begun_at <> (r.ticket ->> 'at')::timestamptz)
order by c.next_at nulls first limit %s
"""  # noqa: S608 (texts of this file)
_CLOCK = sa.text(
    "insert into console.due_clock (rule, run, begun_at) values (:rule, :run, :begun) on conflict (rule, run) do update"
    " set begun_at = excluded.begun_at, reached = case when due_clock.begun_at = excluded.begun_at then due_clock.reached else 0 end"
    " returning reached"
)
_TURN = sa.text(
    "update console.due_clock set reached = :reached, worked_s = :worked, next_at = :next,"
    " breached_at = case when cast(:breached as timestamptz) is not null then coalesce(breached_at, :breached) end where rule = :rule and run = :run"
)


class Stage(BaseModel):
    """What is done when a part of the time is used up."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    percent: int = Field(ge=1, le=1000)
    do: Literal["remind", "tell", "move"] = Field(
        description="remind the holder; tell people; move the run to an inbox"
    )
    people: list[str] = Field(default_factory=list, max_length=50, description="Ids of people, for tell")
    inbox: str | None = Field(None, max_length=60, description="Where it goes, for move")

    @model_validator(mode="after")
    def _whole(self) -> "Stage":
        if self.do == "tell" and not self.people:
            raise ValueError("say who is told")
        if self.do == "move" and not self.inbox:
            raise ValueError("say to which inbox it goes")
        return self


class ApprovalStage(BaseModel):
    """What is done when an approval of a run has waited so long."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    minutes: int = Field(ge=1, le=LONGEST_MINUTES, description="Working time since it was asked for")
    do: Literal["remind", "substitute"] = Field(
        description="remind who may decide; tell who stands in for them"
    )


class Terms(BaseModel):
    """The terms of a due time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    minutes: int = Field(ge=1, le=LONGEST_MINUTES, description="Working time in which it has to end")
    zone: str = "UTC"
    days: list[Day] = Field(default=list(DAYS), min_length=1)
    opens: time = time()
    closes: time = Field(time(), description="00:00 is the end of the day")
    holidays: list[date] = Field(default_factory=list, max_length=400)
    stages: list[Stage] = Field(min_length=1, max_length=MOST_STAGES)
    approvals: list[ApprovalStage] = Field(default_factory=list, max_length=MOST_STAGES)

    @model_validator(mode="after")
    def _sound(self) -> "Terms":
        if not is_zone(self.zone):
            raise ValueError(f"There is no zone {self.zone[:60]}; one such as Europe/Vilnius.")
        if self.closes != time() and self.closes <= self.opens:
            raise ValueError(NO_HOURS)
        return self


@dataclass(frozen=True, slots=True)
class Rule:
    """A due time of a workflow (its id) or of an inbox."""

    id: str
    workflow: str | None
    inbox: str | None
    minutes: int
    hours: Hours
    stages: Sequence[Stage]
    approvals: Sequence[ApprovalStage] = ()

    def to_json(self) -> dict[str, Any]:
        """The terms in the shape of the API."""
        return {
            "minutes": self.minutes,
            "zone": self.hours.zone,
            "days": [DAYS[day] for day in sorted(self.hours.days)],
            "opens": self.hours.opens.isoformat("minutes"),
            "closes": self.hours.closes.isoformat("minutes"),
            "holidays": [day.isoformat() for day in sorted(self.hours.holidays)],
            "stages": [stage.model_dump() for stage in self.stages],
            "approvals": [stage.model_dump() for stage in self.approvals],
        }


class Timed(NamedTuple):
    """A live run as its due time is computed from it."""

    slug: str
    id: str
    workflow_id: str
    version: int
    step: str | None
    created_at: datetime
    collection: str | None
    record: str | None
    ticket: Mapping[str, Any] | None
    live: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Recount(background.Work):
    """Due times that are computed again, of the live runs of a workflow or the tickets of an inbox; those up to the run `place` are."""

    workflow: str | None
    inbox: str | None
    place: str


@dataclass(frozen=True, slots=True)
class Clock:
    """How much of a run's time is used: `worked_s` of `total_s` seconds. `due_at` is when it is used up if nothing else is waited for; `still`: it stands still now.

    Of its age, `age_s` seconds, it waited `waited_s` for a time or somebody outside; what is neither that nor worked lies outside the working hours.
    """

    worked_s: float
    total_s: float
    due_at: datetime
    still: bool
    age_s: float
    waited_s: float

    @property
    def percent(self) -> int:
        """The part that is used, rounded down."""
        return int(100 * self.worked_s / self.total_s)


def rule_of_workflow(workflow_id: str) -> Rule | None:
    """The due time of the workflow; None if it has none."""
    rows = fetch(f"{RULE} where workflow = %s", (workflow_id,))
    return rule_of(rows[0]) if rows else None


def rule_of_inbox(inbox_id: str) -> Rule | None:
    """The due time of the inbox's tickets; None if it has none."""
    rows = fetch(f"{RULE} where inbox = %s", (inbox_id,))
    return rule_of(rows[0]) if rows else None


def set_for_workflow(
    actor: Actor, workflow: Known, terms: Mapping[str, Any] | None, *, seen: str | None = None
) -> Rule | None:
    """Set the due time of the workflow's runs; None takes it away. Needs the right `activate`.

    `seen` is the `mark` of the terms that a form showed. Raises NotAllowed, Invalid with a detail per field, Conflict where they changed since.
    """
    workflows.require(actor, workflow, "activate")
    named = {"workflow": workflow.id, "slug": workflow.slug}
    return _set(actor, terms, workflow.id, None, workflow.team, named, workflow.label, seen)


def set_for_inbox(actor: Actor, inbox_id: str, terms: Mapping[str, Any] | None) -> Rule | None:
    """Set the due time of the inbox's tickets; None takes it away. Needs the right to manage the inbox. Raises NotFound, NotAllowed, Invalid."""
    inbox = inboxes.visible_inbox(actor, inbox_id)
    access.require(actor, inbox.team, f"inbox:{inbox.id}", "manage")
    return _set(actor, terms, None, inbox.id, inbox.team, {"inbox": inbox.id}, None)


def put_for_inbox(
    connection: sa.Connection, actor: Actor, inbox_id: str, team: str, terms: Mapping[str, Any] | None
) -> None:
    """Set the due time of the inbox's tickets in this transaction. Callers judge the right. Raises Invalid."""
    former = rule_of_inbox(inbox_id)
    if (former.to_json() if former is not None else None) != terms:
        checked = _checked(terms, team, inbox_id)
        _put(connection, actor, checked, None, inbox_id, team, {"inbox": inbox_id}, None, None)


def clock_of(run_id: str, rule: Rule) -> Clock | None:
    """The clock of a live or ended run under this rule; None if the rule is of an inbox in which the run does not wait. The caller may see the run."""
    loaded = load(run_id, whole=True)
    begun = _begun(loaded.run, rule) if loaded is not None else None
    return (
        _clock(loaded.run, rule, begun, loaded.run.ended_at or log.now())
        if loaded is not None and begun is not None
        else None
    )


def due_of(heads: Sequence[RunHead | Timed], scope_of: Callable[[str], Scope]) -> dict[str, date]:
    """Run id → the day or moment (aware UTC) by which it has to end; runs that have none are left out.

    The first that the clock of its workflow, the clock of the inbox in which it waits, or the inbox whose records start it says. A stopped clock says nothing, unless its time was used up.
    `scope_of` says of a collection which of its records and fields count. Two statements, and one for each collection with due days.
    """
    live = [head for head in heads if head.live]
    by_record, by_clock = _due_days(live, scope_of), _due_by_clock(live)
    found = {
        head.id: earliest(
            by_record.get((head.collection or "", head.record or "")), *by_clock.get(head.id, ())
        )
        for head in live
    }
    return {run: due for run, due in found.items() if due is not None}


def earliest(*dues: date | None) -> date | None:
    """The first of these days and moments; None of none."""
    return min((due for due in dues if due is not None), key=end_of_day, default=None)


def end_of_day(due: date) -> datetime:
    """The moment by which things are put in order; of a day its last second in UTC."""
    return due if isinstance(due, datetime) else datetime.combine(due, time(23, 59, 59), UTC)


def due_text(due: date | None) -> str | None:
    """The day or moment as the API says it."""
    return log.body.moment(due) if isinstance(due, datetime) else due.isoformat() if due else None


def note_due() -> int:
    """Compute by when live runs are due of which it is not known, for the order of lists of work; returns how many were looked at."""
    by_inbox = {inbox.source.workflow for inbox in inboxes.all_inboxes() if inbox.source and inbox.source.due}
    ids = [known.id for known in workflows.all_known() if known.slug in by_inbox]
    rows = fetch(_DUE_UNKNOWN, {"workflows": ids, "most": AT_ONCE})
    _note_due(rows)
    return len(rows)


def _note_due(rows: Sequence[Sequence[Any]]) -> None:
    """Compute by when the runs of these rows of `_TIMED` are due, and write it."""
    due = due_of([Timed(lists.known_as(row[1])[0], *row) for row in rows], scopes.unrestricted)
    if rows:
        with transaction() as connection:
            given = [
                {"run": row[0], "due": end_of_day(due[row[0]]) if row[0] in due else None} for row in rows
            ]
            connection.execute(_NOTE_DUE, given)


class _Recounts(background.Kind[Recount]):
    job, table = jobs.RECOUNT, tables.due_recount
    missing = "These due times are not computed again."

    def read(self, row: sa.Row[Any]) -> Recount:
        return Recount.from_row(row)

    def perform(self, work: Recount, actor: Actor, stopping: Stopping) -> None:  # noqa: ARG002 (the console's own)
        which = "r.workflow = %(of)s" if work.workflow is not None else "r.ticket ->> 'inbox' = %(of)s"
        live = f"from {access.EVERY_RUN.sql()} where r.ended_at is null and {which}"
        given = {"of": work.workflow or work.inbox, "most": AT_ONCE}
        self.change(work.id, total=fetch(f"select count(*) {live}", given)[0][0])
        done, place = work.done, work.place
        following = f"select {_TIMED} {live} and r.id > %(place)s order by r.id limit %(most)s"
        while rows := fetch(following, given | {"place": place}):
            if stopping():
                raise jobs.PutBack(background.LATER_S)
            _note_due(rows)
            done, place = done + len(rows), rows[-1][0]
            if not self.change(work.id, status=background.RUNNING, done=done, place=place):
                raise background.Stopped


RECOUNTS = _Recounts()


def recount(
    connection: sa.Connection, actor: Actor, *, workflow: str | None = None, inbox: str | None = None
) -> None:
    """Have it computed again, in the background, when the live runs of the workflow (its id) or the tickets of the inbox are due; what was under way ends."""
    columns = {"workflow": workflow, "inbox": inbox}
    connection.execute(sa.delete(RECOUNTS.table).filter_by(**columns))
    RECOUNTS.add(connection, id=new_id("rec"), person=actor.id, status=background.WAITING, **columns)


def recount_of_inbox(inbox_id: str, workflow_id: str | None) -> Recount | None:
    """How far the due times of its tickets, or of the runs that its records start, are computed again; what is under way first."""
    column = RECOUNTS.table.c
    found = RECOUNTS.select(sa.or_(column.inbox == inbox_id, column.workflow == workflow_id))
    return min(found, key=lambda each: not each.under_way, default=None)


def due_at(hours: Hours, begun: datetime, now: datetime, total_s: float, worked_s: float) -> datetime:
    """When the time is used up, or was: of a run that is late as if it had waited for nothing since."""
    return (
        after(hours, now, total_s - worked_s)
        if worked_s < total_s
        else min(now, after(hours, begun, total_s))
    )


def look() -> int:
    """Do what is due for every live run with a due time; returns how many clocks were checked. While everything is paused, no notice is sent."""
    if jobs.paused():
        return 0
    rules = {row[0]: rule_of(row) for row in fetch(RULE)}
    pairs = fetch(_CANDIDATES, (AT_ONCE,)) if rules else []
    for run_id, rule_id in pairs:
        try:
            _turn(run_id, rules[rule_id])
        except Exception:
            logger.exception("due time of run %s", run_id)
    return len(pairs)


# --------------------------------------------------------------------------------------------------------------- inside


def rule_of(row: Sequence[Any]) -> Rule:
    """The rule of a row of `RULE`."""
    ident, workflow, inbox, minutes, zone, days, opens, closes, holidays, stages, approvals = row
    hours = Hours(zone, frozenset(days), opens, closes, frozenset(holidays))
    on_the_way = sorted((Stage(**stage) for stage in stages), key=lambda stage: stage.percent)
    waited = sorted((ApprovalStage(**stage) for stage in approvals), key=lambda stage: stage.minutes)
    return Rule(ident, workflow, inbox, minutes, hours, on_the_way, waited)


def _set(
    actor: Actor,
    terms: Mapping[str, Any] | None,
    workflow: str | None,
    inbox: str | None,
    team: str,
    named: Mapping[str, Any],
    label: str | None,
    seen: str | None = None,
) -> Rule | None:
    checked = _checked(terms, team, inbox)
    with transaction() as connection:
        _put(connection, actor, checked, workflow, inbox, team, named, label, seen)
    return rule_of_workflow(workflow) if workflow is not None else rule_of_inbox(inbox or "")


def _put(
    connection: sa.Connection,
    actor: Actor,
    checked: Terms | None,
    workflow: str | None,
    inbox: str | None,
    team: str,
    named: Mapping[str, Any],
    label: str | None,
    seen: str | None,
) -> None:
    column, value = ("workflow", workflow) if workflow is not None else ("inbox", inbox)
    kept = connection.exec_driver_sql(f"{RULE} where {column} = %s for update", (value,)).first()
    former = rule_of(kept) if kept is not None else None
    made = former.id if former is not None else new_id("due")
    row = (
        {"id": made, "workflow": workflow, "inbox": inbox, **_columns(checked)}
        if checked is not None
        else None
    )
    wanted = rule_of([row[name] for name in COLUMNS]) if row is not None else None
    require_unchanged(seen, former.to_json() if former else None, wanted.to_json() if wanted else None)
    if row is not None:
        connection.execute(
            sa.text("update console.due_clock set next_at = now() where rule = :id"), {"id": made}
        )
        connection.execute(_INSERT, row | {"by": actor.id})
    elif former is not None:
        connection.execute(sa.text("delete from console.due_rule where id = :id"), {"id": made})
    else:
        raise NotFound("There is no due time here.")
    recount(connection, actor, workflow=workflow, inbox=inbox)
    data = {
        "rule": made,
        "minutes": checked.minutes if checked else None,
        "removed": checked is None,
    } | dict(named)
    terms_told = {"terms": checked.model_dump(mode="json") if checked else {}}
    chain = None if label else workflows.CHAIN
    log.note(
        actor,
        "due_time_changed",
        open=data,
        sealed=terms_told,
        team=team or None,
        chain=chain,
        label=label,
        connection=connection,
    )


def _columns(checked: Terms) -> dict[str, Any]:
    return {
        "minutes": checked.minutes,
        "zone": checked.zone,
        "days": [DAYS.index(day) for day in checked.days],
        "opens": checked.opens,
        "closes": checked.closes,
        "holidays": list(checked.holidays),
        "stages": [stage.model_dump() for stage in checked.stages],
        "approvals": [stage.model_dump() for stage in checked.approvals],
    }


_INSERT = sa.text(
    "insert into console.due_rule (id, workflow, inbox, minutes, zone, days, opens, closes, holidays, stages, approvals, made_by)"
    " values (:id, :workflow, :inbox, :minutes, :zone, :days, :opens, :closes, :holidays, :stages, :approvals, :by) on conflict (id) do update"
    " set minutes = excluded.minutes, zone = excluded.zone, days = excluded.days, opens = excluded.opens, closes = excluded.closes,"
    " holidays = excluded.holidays, stages = excluded.stages, approvals = excluded.approvals, made_by = excluded.made_by, made_at = now()"
).bindparams(sa.bindparam("stages", type_=JSONB), sa.bindparam("approvals", type_=JSONB))


def _checked(terms: Mapping[str, Any] | None, team: str, inbox: str | None) -> Terms | None:
    """The terms. Raises Invalid with a detail per field."""
    if terms is None:
        return None
    try:
        checked = Terms.model_validate(dict(terms))
    except ValidationError as wrong:
        reasons = [
            (".".join(map(str, each["loc"])), json_shape.reason(each, Terms)) for each in wrong.errors()
        ]
        details = [
            (place or ("closes" if reason == NO_HOURS else "zone"), reason) for place, reason in reasons
        ]
        raise Invalid("The due time was not set.", details=details) from None
    for number, stage in enumerate(checked.stages):
        if stage.inbox is not None and all(inbox.id != stage.inbox for inbox in inboxes.used_by(team)):
            field = f"stages.{number}.inbox"
            raise Invalid("The due time was not set.", at=(field, f"The team uses no inbox {stage.inbox}."))
    if checked.approvals and inbox is not None:
        reason = "Approvals are of runs: set it at their workflow."
        raise Invalid("The due time was not set.", at=("approvals", reason))
    return checked


def _due_by_clock(live: Sequence[RunHead | Timed]) -> dict[str, list[datetime]]:
    """Run id → when its times are or were used up, of its workflow and of the inbox in which it waits; not by a clock that is stopped before that."""
    inbox_ids = [head.ticket["inbox"] for head in live if head.ticket]
    given = ([head.workflow_id for head in live], inbox_ids)
    found = fetch(f"{RULE} where workflow = any(%s) or inbox = any(%s)", given) if live else []
    rules = {rule.workflow or rule.inbox: rule for rule in map(rule_of, found)}
    timed = {head.id: head for head in live if rules and _clocks(head, rules)}
    attempts: dict[str, list[tuple[str, datetime, datetime | None]]] = {run: [] for run in timed}
    for run, *attempt in (
        fetch(
            "select run, step, entered_at, completed_at from console.attempt where run = any(%s)",
            (list(timed),),
        )
        if timed
        else ()
    ):
        attempts[run].append((attempt[0], attempt[1], attempt[2]))
    due: dict[str, list[datetime]] = {}
    now = log.now()
    for run, head in timed.items():
        waiting = waiting_steps(head.workflow_id, head.version)
        pauses = [(entered, left or now) for step, entered, left in attempts[run] if step in waiting]
        for rule, begun in _clocks(head, rules):
            worked, total = worked_seconds(rule.hours, begun, now, pauses), rule.minutes * 60.0
            if head.step not in waiting or worked >= total:
                due.setdefault(run, []).append(due_at(rule.hours, begun, now, total, worked))
    return due


def _clocks(head: RunHead | Timed, rules: Mapping[str | None, Rule]) -> list[tuple[Rule, datetime]]:
    """The due times that count for the run, each with when its clock began: with the run, or when the ticket came in."""
    ticket = head.ticket or {}
    own, of_inbox = rules.get(head.workflow_id), rules.get(ticket.get("inbox"))
    return [
        *([(own, head.created_at)] if own else []),
        *([(of_inbox, datetime.fromisoformat(ticket["at"]))] if of_inbox else []),
    ]


_TIMED = "r.id, r.workflow, r.version, (select a.step from console.attempt a where a.run = r.id and a.n = r.current), r.created_at, r.collection, r.record, r.ticket"
_UNKNOWN = f"from {access.EVERY_RUN.sql()} where r.ended_at is null and r.due_known is null and"
_DUE_UNKNOWN = f"""
(select {_TIMED} {_UNKNOWN} r.workflow = any(array(select d.workflow from console.due_rule d where d.workflow is not null) || %(workflows)s::text[]) limit %(most)s)
union (select {_TIMED} {_UNKNOWN} r.ticket is not null and r.ticket ->> 'inbox' = any(array(select d.inbox from console.due_rule d where d.inbox is not null)) limit %(most)s)
"""  # noqa: S608 (names of ours)
_NOTE_DUE = sa.text("update console.run set due_at = :due, due_known = true where id = :run")


def _due_days(
    heads: Sequence[RunHead | Timed], scope_of: Callable[[str], Scope]
) -> dict[tuple[str, str], date]:
    """(collection, key) → its due day, as the inbox says whose records start the run's workflow. Hidden fields give none."""
    rules = {
        inbox.source.workflow: inbox.source
        for inbox in inboxes.all_inboxes()
        if inbox.source and inbox.source.due
    }
    wanted: dict[str, set[str]] = {}
    for head in heads:
        rule = rules.get(head.slug)
        if rule is not None and head.record is not None and head.collection == rule.collection:
            wanted.setdefault(head.slug, set()).add(head.record)
    found = {}
    for slug, keys in wanted.items():
        rule = rules[slug]
        scope, due = scope_of(rule.collection), rule.due
        if due is None or due.field in scope.hidden:
            continue
        try:
            rows = records.records_by_key(rule.collection, sorted(keys), scope, (due.field,))
        except ConsoleError:
            continue  # the source is down: the runs are listed without a due day
        for key, record in rows.items():
            day = due_day(record.values.get(due.field), due.days)
            if day is not None:
                found[(rule.collection, key)] = day
    return found


def due_day(value: Any, days: int) -> date | None:
    """So many days after the day of a record's field; None where it has none."""
    try:
        return date.fromisoformat(str(value)[:10]) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None


def _begun(run: Run, rule: Rule) -> datetime | None:
    """When the clock began: with the run, or when the ticket came in."""
    if rule.inbox is None:
        return run.created_at
    ticket = run.ticket or {}
    return datetime.fromisoformat(ticket["at"]) if ticket.get("inbox") == rule.inbox else None


def _clock(run: Run, rule: Rule, begun: datetime, now: datetime) -> Clock:
    waiting = waiting_steps(run.workflow, run.version)
    pauses = [
        (each.entered_at, each.completed_at or now) for each in run.attempts.values() if each.step in waiting
    ]
    worked = worked_seconds(rule.hours, begun, now, pauses)
    total = rule.minutes * 60.0
    attempt = run.attempt
    still = attempt is not None and attempt.step in waiting
    age = (now - begun).total_seconds()
    waited = age - worked_seconds(ALWAYS, begun, now, pauses)
    return Clock(worked, total, after(rule.hours, now, max(0.0, total - worked)), still, age, waited)


def waiting_steps(workflow: str, number: int) -> frozenset[str]:
    """The steps of a version at which the clock stands still: their type always waits, for a moment or for somebody outside."""
    return frozenset(
        step.id for step in workflows.version(workflow, number).document.steps if steps.get(step.type).waits
    )


def _turn(run_id: str, rule: Rule) -> None:
    """Do what is due by the run's clock, and set when to check it again. The row of the clock is locked, so that two workers do it once."""
    moves: str | None = None
    with transaction() as connection:
        loaded = load(run_id, whole=True)
        if loaded is None or loaded.run.ended or (begun := _begun(loaded.run, rule)) is None:
            connection.execute(
                sa.text("update console.due_clock set next_at = null where rule = :rule and run = :run"),
                {"rule": rule.id, "run": run_id},
            )
            return
        reached = connection.execute(_CLOCK, {"rule": rule.id, "run": run_id, "begun": begun}).scalar_one()
        now = log.now()
        clock = _clock(loaded.run, rule, begun, now)
        reached = min(reached, clock.percent)  # more, where the rule has given it longer since
        passed = [stage for stage in rule.stages if reached < stage.percent <= clock.percent]
        coming = next((stage.percent for stage in rule.stages if stage.percent > clock.percent), None)
        next_at = (
            None
            if coming is None
            else after(rule.hours, now, max(1.0, clock.total_s * coming / 100 - clock.worked_s))
        )
        breached = now if clock.percent >= 100 else None
        percent = passed[-1].percent if passed else reached
        connection.execute(
            _TURN,
            {
                "rule": rule.id,
                "run": run_id,
                "reached": percent,
                "worked": clock.worked_s,
                "next": next_at,
                "breached": breached,
            },
        )
        if passed:
            recipients = _tell(connection, loaded.run, rule, passed, percent)
            moves = next((stage.inbox for stage in reversed(passed) if stage.do == "move"), None)
            _note(connection, loaded.run, rule, percent, clock, recipients, moves)
    if moves is not None:
        _move(run_id, moves, percent)


def _tell(
    connection: sa.Connection, run: Run, rule: Rule, passed: Sequence[Stage], percent: int
) -> list[str]:
    """Send a notice to the people that the stages name, each once even if several stages were missed; returns their ids."""
    people: dict[str, None] = {}
    for stage in passed:
        holder = run.holder or run.last_holder
        people |= dict.fromkeys(
            stage.people if stage.do == "tell" else [holder] if stage.do == "remind" and holder else []
        )
    recipients = [person for person in people if _may_see(person, run)]
    kind = "due_over" if percent >= 100 else "due_soon"
    notify.add_notices(
        connection, recipients, f"{rule.id}:{run.id}:{percent}", kind, at=log.now(), run=run.id
    )
    return recipients


def _may_see(person: str, run: Run) -> bool:
    slug = workflows.version(run.workflow, run.version).slug
    try:
        return access.can(accounts.actor_of_person(person), run.team, f"{OBJECT}:{slug}", "see")
    except ConsoleError:
        return False


def _note(
    connection: sa.Connection,
    run: Run,
    rule: Rule,
    percent: int,
    clock: Clock,
    told: Sequence[str],
    moved: str | None,
) -> None:
    definition = workflows.version(run.workflow, run.version)
    opened = {
        "workflow": run.workflow,
        "slug": definition.slug,
        "inbox": rule.inbox,
        "rule": rule.id,
        "late_run": run.id,
        "percent": percent,
        "worked_seconds": int(clock.worked_s),
        "holder": run.holder,
        "told": list(told),
        "moved_to": moved,
    }
    chain = None if run.label else workflows.CHAIN
    log.note(
        runs.ENGINE,
        "due_time_reached",
        open=opened,
        team=run.team or None,
        chain=chain,
        label=run.label,
        connection=connection,
    )


def _move(run_id: str, inbox: str, percent: int) -> None:
    """Put the run into the inbox, with the holder's draft. Does nothing if it ended, is there already, or a change is under way."""

    def once() -> None:
        loaded = load(run_id)
        if loaded is None or loaded.run.ended or (loaded.run.ticket or {}).get("inbox") == inbox:
            return
        run = loaded.run
        definition = workflows.version(run.workflow, run.version)
        reason = f"{percent} % of its time is used up."
        command = commands.Escalate(
            run.holder or runs.ENGINE.id,
            run.revision,
            inbox,
            reason,
            "urgent",
            holder_draft(run, loaded.subject),
            entitled=True,
        )
        events = [
            event._replace(by=None)
            for event in decisions.decide(plan_of(definition), run, command, log.now())
        ]
        write(runs.ENGINE, definition, loaded, events)

    try:
        retried(once)
    except ConsoleError as error:
        logger.info("run %s is not moved to %s: %s", run_id, inbox, error.message)
