"""What activating or cancelling a workflow would do, before somebody does it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from console import log, records, workflows
from console.auth import access
from console.automation import triggers as automation
from console.automation.enrolments import whom_it_lets_in
from console.automation.enrolments.whom_it_lets_in import LetIn
from console.core import schedule
from console.core.actor import Actor
from console.core.documents.triggers import Trigger
from console.core.documents.workflow import Workflow, read
from console.core.errors import Conflict, ConsoleError, NotFound
from console.infra.db import tables
from console.infra.db.engine import hot_engine, read_value
from console.messaging.messages import contact_trials, reachable
from console.messaging.messages.contact_trials import ContactTrial
from console.messaging.messages.reachable import OverCap
from console.runs import RunHead
from console.runs.views import lists, record_reach
from console.workflows import Entry

AHEAD = timedelta(hours=24)
MOST_RUNS = 50
MOST_TIMERS = 10
MOST_FIRINGS = 20
MOST_MATCHING = 10_000
MOST_CAPPED = 1_000
"""Contacts of whom it is counted who has had as many messages as the caps allow."""
AT_ONCE = 500
BY_HAND = frozenset({"manual", "record"})


@dataclass(frozen=True, slots=True)
class Activation:
    """What activating would do. `publishes` is the number that the draft gets; None: its live version stays. Times are aware UTC.

    `timers` are the first of the runs (id, record, moment) that go on in the next 24 hours, `due` of them, or at once, `overdue` of them.
    """

    workflow: Entry
    publishes: int | None
    problems: Sequence[Mapping[str, Any]]
    triggers: Sequence[str]
    channels: Sequence[str]
    matching: int | None
    overdue: int
    due: int
    timers: Sequence[tuple[str, str | None, datetime]]
    firings: Sequence[tuple[str, datetime]] = ()
    over_cap: OverCap | None = None
    let_in: LetIn | None = None

    def to_json(self) -> dict[str, Any]:
        """The preview in the shape of the API."""
        return {
            "publishes": self.publishes,
            "problems": [{"field": each["field"], "reason": each["reason"]} for each in self.problems],
            **{name: list(getattr(self, name)) for name in ("triggers", "channels")},
            **{name: getattr(self, name) for name in ("matching", "overdue", "due")},
            "timers": [
                {"run": run, "record": record, "at": log.body.moment(at)} for run, record, at in self.timers
            ],
            "firings": [{"trigger": trigger, "at": log.body.moment(at)} for trigger, at in self.firings],
            "over_cap": self.over_cap
            and {name: getattr(self.over_cap, name) for name in ("looked", "over", "more")},
            "let_in": self.let_in and self.let_in.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The live runs that cancelling would end: how many, by status, and the first of them; `overdue`: whose timers came due already."""

    workflow: Entry
    live: int
    statuses: Mapping[str, int]
    under_way: int
    runs: Sequence[RunHead]
    overdue: int = 0

    def to_json(self) -> dict[str, Any]:
        """The preview in the shape of the API."""
        return {
            "live": self.live,
            "statuses": dict(self.statuses),
            "under_way": self.under_way,
            "runs": [
                {
                    "id": head.id,
                    "title": head.record_title,
                    "status": head.status,
                    "record": head.record,
                    "holder": head.holder,
                    "step": head.step,
                }
                for head in self.runs
            ],
        }


def activation(actor: Actor, slug_or_id: str) -> Activation:
    """What activating the workflow would do now. Raises NotFound."""
    entry = workflows.entry(actor, slug_or_id)
    problems, publishes, document = _published(entry)
    now = log.now()
    ahead = _timers(actor, entry.id, now + AHEAD)
    counted = sa.select(sa.func.count().filter(ahead.c.at <= now), sa.func.count().filter(ahead.c.at > now))
    with hot_engine().connect() as connection:
        overdue, due = connection.execute(counted).one()
        first = connection.execute(sa.select(ahead).order_by(ahead.c.at).limit(MOST_TIMERS)).all()
    listed = [each for each in automation.list_triggers(actor, entry.id)[1] if each.enabled]
    firings = sorted((at, each.id) for each in listed for at in _moments(each, now))[:MOST_FIRINGS]
    return Activation(
        entry,
        publishes,
        problems,
        _starts(document, [each.definition for each in listed]),
        list(
            dict.fromkeys(
                contact_trials.kind_of(view).title
                for view in contact_trials.message_steps(document, chats=True)
            )
        ),
        _matching(actor, document),
        overdue,
        due,
        [(row.id, row.record, row.at) for row in first],
        [(trigger, at) for at, trigger in firings],
        _over_cap(actor, document),
        _let_in(actor, entry, document),
    )


def _timers(actor: Actor, workflow_id: str, until: datetime) -> sa.Subquery:
    """The live runs (id, record, at) that go on by themselves at some moment until then."""
    run = tables.run.c
    at = sa.cast(run.waiting["until"].astext, sa.DateTime(timezone=True))
    waits = record_reach.countable_runs(
        actor,
        run.workflow == workflow_id,
        run.ended_at.is_(None),
        run.status.in_(("waiting_time", "waiting_event")),
    )
    return sa.select(run.id, run.record, at.label("at")).where(waits, at <= until).subquery()


def trial(actor: Actor, slug_or_id: str) -> ContactTrial | None:
    """What the messages of the workflow would come to now for the first contacts; None where it has none, or that cannot be told to this actor."""
    try:
        _, _, document = _published(workflows.entry(actor, slug_or_id))
        return contact_trials.try_contacts(actor, document) if contact_trials.has_messages(document) else None
    except ConsoleError:  # the source is down, or the contacts are none of theirs
        return None


def require_filled(actor: Actor, slug_or_id: str, *, leave_out: bool = False) -> None:
    """Raise Conflict `merge_fields` where a message of the workflow has a merge field that is empty for one of the contacts it was tried on.

    With `leave_out` only where it is empty for all of them: the message to whoever lacks the field does not leave.
    """
    refuse_gaps(trial(actor, slug_or_id), leave_out=leave_out)


def trial_of_draft(actor: Actor, draft: Mapping[str, Any]) -> ContactTrial | None:
    """The merge fields of `trial` of a document that is not published yet; None also for one that cannot be read yet."""
    try:
        document = read(draft)
        return (
            contact_trials.try_contacts(actor, document, gaps_alone=True)
            if contact_trials.has_messages(document)
            else None
        )
    except (ConsoleError, ValueError):
        return None


def refuse_gaps(found: ContactTrial | None, *, leave_out: bool) -> None:
    """Raise what `require_filled` says, of this trial."""
    gaps = (
        [(step, gap) for step, gap in found.gaps if gap.count == found.tried or not leave_out]
        if found is not None
        else []
    )
    if found is None or not gaps:
        return
    never = any(gap.count == found.tried for _, gap in gaps)
    raise Conflict(
        "Some messages would never leave. Fill in the fields, or say in the text what stands there instead."
        if never
        else "Some would not get a message. Fill in the fields, say in the text what stands there instead, or leave these people out of it.",
        code="merge_fields",
        details=[
            (
                f"steps.{step.step}",
                f"{step.title}: {gap.field} is empty for {_whom(gap.count, found.tried)}.",
            )
            for step, gap in gaps
        ],
    )


def _whom(count: int, tried: int) -> str:
    if count < tried:
        return f"{count:,} of {tried:,} contacts it was tried on"
    return f"all {tried:,} contacts it was tried on" if tried > 1 else "the only contact"


def cancellation(actor: Actor, slug_or_id: str) -> Cancellation:
    """The live runs that cancelling the workflow would end, as far as the actor may see them. Raises NotFound."""
    entry, run = workflows.entry(actor, slug_or_id), tables.run.c
    live = record_reach.countable_runs(actor, run.workflow == entry.id, run.ended_at.is_(None))
    under_way = sa.func.count().filter(run.waiting["for"].astext == "effect")
    with hot_engine().connect() as connection:
        rows = connection.execute(
            sa.select(run.status, sa.func.count(), under_way).where(live).group_by(run.status)
        ).all()
        overdue = (
            connection.scalar(sa.select(sa.func.count()).select_from(_timers(actor, entry.id, log.now())))
            or 0
        )
    heads, _ = lists.visible_runs(
        actor,
        run.workflow == entry.id,
        run.ended_at.is_(None),
        order=(run.created_at, run.id),
        limit=MOST_RUNS,
    )
    statuses = {row[0]: row[1] for row in rows}
    return Cancellation(entry, sum(statuses.values()), statuses, sum(row[2] for row in rows), heads, overdue)


def _over_cap(actor: Actor, document: Workflow) -> OverCap | None:
    """Of the first `MOST_CAPPED` contacts whom the actor sees, how many the caps hold back; None without messages to contacts, or while the source is down."""
    if document.collection is None or not contact_trials.has_messages(document):
        return None
    keys: list[str] = []
    after: str | None = None
    try:
        scope = access.scope_for(actor, document.collection, "read")
        while len(keys) < MOST_CAPPED:
            page = records.page(document.collection, scope, limit=AT_ONCE, after=after, fields=())
            keys += [row.key for row in page.rows if row.key is not None]
            if (after := page.next) is None:
                break
        return reachable.over_cap(
            document, keys[:MOST_CAPPED], more=after is not None or len(keys) > MOST_CAPPED
        )
    except ConsoleError:
        return None


def _let_in(actor: Actor, entry: Entry, document: Workflow) -> LetIn | None:
    """Whom its triggers would let in; None where none says whom, or that cannot be told to this actor."""
    try:
        return whom_it_lets_in.find(actor, entry.id, document)
    except ConsoleError:
        return None


def _published(entry: Entry) -> tuple[list[dict[str, Any]], int | None, Workflow]:
    """(problems that keep the draft from being published, the number that it would get, the document that runs would start with)."""
    if entry.live_version is not None:
        return [], None, workflows.version(entry.id, entry.live_version).document
    draft = read_value(sa.select(tables.workflow.c.draft).where(tables.workflow.c.id == entry.id))
    if draft is None:
        raise NotFound
    errors = [
        problem
        for problem in workflows.check(draft, workflows.validation_context())
        if problem.severity == "error"
    ]
    return (
        [problem.to_json() | {"field": problem.step or problem.field} for problem in errors],
        1,
        workflows.readable(draft),
    )


def _moments(trigger: automation.Listed, now: datetime) -> list[datetime]:
    """When a schedule fires in the next 24 hours, the first few times; also while the workflow is not active yet."""
    rule, until = trigger.definition, now + AHEAD
    return (
        [at for at in schedule.following(rule.fields, rule.zone or "UTC", now, MOST_FIRINGS) if at <= until]
        if rule.fields
        else []
    )


def _starts(document: Workflow, triggers: Sequence[Trigger]) -> list[str]:
    """What starts runs, in the words of the page of triggers, with whom each lets in: people first."""
    by_hand = "By a person, from a record" if document.collection else "By a person"
    told = [by_hand] if not triggers or any(each.kind in BY_HAND for each in triggers) else []
    others = [each for each in triggers if each.kind not in BY_HAND]
    said = [
        [automation.trigger_words(each).rstrip("."), *automation.whom_words(each, document.collection)]
        for each in others
    ]
    return [*told, *dict.fromkeys(f"{words}. {' '.join(whom)}" if whom else words for words, *whom in said)]


def _matching(actor: Actor, document: Workflow) -> int | None:
    """How many records a start may be about now, as the actor sees them: at most one more than `MOST_MATCHING`. None without a collection,
    or while its source is down.
    """
    if document.collection is None:
        return None
    try:
        return records.count(
            document.collection, access.scope_for(actor, document.collection, "read"), cap=MOST_MATCHING
        )
    except ConsoleError:
        return None
