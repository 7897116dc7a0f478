"""Why runs wait, in words, and by when they are due: for a list of runs at once, with one statement for what they wait for, two for due times, and one for each collection with due days or a limited scope."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from console import records, runs, workflows
from console.auth import access
from console.core import outcome_words, scopes
from console.core.actor import Actor
from console.core.errors import ConsoleError
from console.core.scopes import Scope
from console.infra.db.engine import fetch, transaction
from console.runs import RunHead
from console.runs.views import lists
from console.runs.views.handovers import WAS_HANDED_ON, HandedOn, handed_on
from console.runs.views.view import title_of
from console.work import due_times
from console.work.due_times import Timed
from console.workflows import Definition, inboxes, readable_version

MOST_LETTERS = 140
_ROWS = f"""
select r.id, r.waiting, r.take_over, r.last_holder, a.step, a.outcome, {WAS_HANDED_ON} from {{runs}}
left join lateral (
    select step, outcome from console.attempt where run = r.id and status = 'done' and "by" is not null order by n desc limit 1
) a on true where r.id = any(%s)
"""  # noqa: S608 (a text of ours)
_WAITS = {
    "time": "Goes on by itself when its time comes",
    "retry": "It could not be done and is tried again",
    "event": "Goes on when something happens outside",
    "approval": "Goes on when it is approved",
    "run": "Goes on when another run ends",
    "documents": "Goes on when the documents are here",
    "task": "Goes on when a task is done",
    "message": "Goes on when a message has left",
    "answer": "Goes on when an answer is here",
    "effect": "The change is under way",
}
"""Reason to wait → words."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a run waits. `due` is a day or a moment (aware UTC); None where nothing says so. `last_holder` is a person id."""

    words: str
    due: date | None = None
    last_holder: str | None = None


def reasons(actor: Actor, heads: Sequence[RunHead]) -> dict[str, Reason]:
    """Run id → why it waits. The runs are those that the actor may see; texts that they may not read are left out."""
    if not heads:
        return {}
    rows = {
        row[0]: row[1:]
        for row in fetch(_ROWS.format(runs=access.runs(actor).sql()), ([head.id for head in heads],))
    }
    due = due_of(heads, partial(access.scope_for, actor, act="read"))
    handed = [
        head.id for head in heads if head.live and not head.ticket and head.id in rows and rows[head.id][-1]
    ]
    last = handed_on(handed) if handed else {}
    with runs.judged_once(rows):
        return {
            head.id: _reason(actor, head, rows[head.id], due.get(head.id), last.get(head.id))
            for head in heads
            if head.id in rows
        }


def _reason(
    actor: Actor,
    head: RunHead,
    row: Sequence[Any],
    due: date | None,
    handed: HandedOn | None,
) -> Reason:
    waiting, take_over, last_holder, step, outcome, _ = row
    readable = runs.words_of_event(actor, head.workflow_id, head.version, head.step, run=head.id)
    handed = handed if readable and handed is not None and handed.by != actor.id and not take_over else None
    return Reason(
        f"“{_short(handed.reason)}”"
        if handed
        else _words(head, waiting, take_over, (step, outcome), readable=readable),
        due,
        last_holder,
    )


def earlier(day: date | None, moment: datetime | None) -> date | None:
    """The day or moment, or the other moment where it is not after it."""
    if isinstance(day, datetime) and moment is not None:
        return min(day, moment)
    return moment if moment is not None and (day is None or moment.date() <= day) else day


def _words(
    head: RunHead,
    waiting: Mapping[str, Any] | None,
    take_over: Mapping[str, Any] | None,
    last: tuple[str | None, str | None],
    *,
    readable: bool,
) -> str:
    if head.ticket and readable and head.ticket.get("reason"):
        return f"“{_short(str(head.ticket['reason']))}”"
    if take_over:
        return (
            _short(str(take_over.get("message", "")))
            if readable and take_over.get("message")
            else "Stopped, and asks a person"
        )
    if waiting and head.status in ("waiting_time", "waiting_event"):
        return _WAITS.get(str(waiting.get("for")), "Goes on by itself")
    step, outcome = last
    if step is None:
        return "Nothing is done yet"
    definition = readable_version(head.workflow_id, head.version)
    if definition is None:
        return "Its version cannot be read here"
    label = _outcome_label(definition, step, outcome) if readable else ""
    return (
        f"After {title_of(definition, step).rstrip('?')}: {label}"
        if label
        else f"After {title_of(definition, step)}"
    )


def _outcome_label(definition: Definition, step_id: str, outcome: str | None) -> str:
    """The label of the way that was taken; "" for a step that offers no choice."""
    own = next(({"config": step.config} for step in definition.document.steps if step.id == step_id), {})
    return outcome_words.labels(own).get(outcome or "", "")


def _short(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1].rstrip()}…"


def due_of(heads: Sequence[RunHead | Timed], scope_of: Callable[[str], Scope]) -> dict[str, date]:
    """Run id → the day or moment (aware UTC) by which it has to end: by the clock of its workflow, or by the inbox whose records start it.

    `scope_of` says of a collection which of its records and fields count.
    """
    live = [head for head in heads if head.live]
    by_record, by_clock = _due_days(live, scope_of), due_times.due_of(live)
    found = {
        head.id: earlier(by_record.get((head.collection or "", head.record or "")), by_clock.get(head.id))
        for head in live
    }
    return {run: due for run, due in found.items() if due is not None}


def note_due() -> int:
    """Compute by when live runs are due of which it is not known, for the order of lists of work; returns how many were looked at."""
    by_inbox = {inbox.source.workflow for inbox in inboxes.all_inboxes() if inbox.source and inbox.source.due}
    ids = [known.id for known in workflows.all_known() if known.slug in by_inbox]
    rows = fetch(_DUE_UNKNOWN, {"workflows": ids, "most": due_times.AT_ONCE})
    due = due_of([Timed(lists.known_as(row[1])[0], *row) for row in rows], scopes.unrestricted)
    if rows:
        with transaction() as connection:
            given = [{"run": row[0], "due": end_of_day(due.get(row[0]))} for row in rows]
            connection.execute(_NOTE_DUE, given)
    return len(rows)


_DUE_UNKNOWN = f"""
select r.id, r.workflow, r.version, (select a.step from console.attempt a where a.run = r.id and a.n = r.current), r.created_at, r.collection, r.record
from {access.EVERY_RUN.sql()} where r.ended_at is null and r.due_known is null
and (r.workflow = any(%(workflows)s) or r.workflow in (select d.workflow from console.due_rule d where d.workflow is not null)) limit %(most)s
"""  # noqa: S608 (names of ours)
_NOTE_DUE = sa.text("update console.run set due_at = :due, due_known = true where id = :run")


def end_of_day(due: date | None) -> datetime | None:
    """The moment; of a day its end in UTC."""
    return due if due is None or isinstance(due, datetime) else datetime.combine(due, time(23, 59, 59), UTC)


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
            day = _day(record.values.get(due.field))
            if day is not None:
                found[(rule.collection, key)] = day + timedelta(days=due.days)
    return found


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
