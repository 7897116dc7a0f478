"""Why runs wait, in words, and by when they are due: for a list of runs at once, with one statement for what they wait for and those of `due_times.due_of`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from console import runs
from console.auth import access
from console.core import outcome_words
from console.core.actor import Actor
from console.infra.db.engine import fetch
from console.runs import RunHead
from console.runs.views.handovers import WAS_HANDED_ON, HandedOn, handed_on
from console.runs.views.view import title_of
from console.work.due_times import due_of
from console.workflows import Definition, readable_version

MOST_LETTERS = 140
_ROWS = f"""
select r.id, r.waiting, r.take_over, r.last_holder, a.step, a.outcome, {WAS_HANDED_ON} from {{runs}}
left join lateral (
    select step, outcome from console.attempt where run = r.id and status = 'done' and "by" is not null order by n desc limit 1
) a on true where r.id = any(%s)
"""  # noqa: S608 (a text of ours)
_WAITS = {
    "time": "Timer",
    "retry": "Retry",
    "event": "Event",
    "approval": "Approval",
    "run": "Another run",
    "documents": "Documents",
    "task": "Task",
    "message": "Message",
    "answer": "Answer",
    "effect": "Change under way",
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
            else "Needs a person"
        )
    if waiting and head.status in ("waiting_time", "waiting_event"):
        return _WAITS.get(str(waiting.get("for")), "Timer")
    step, outcome = last
    if step is None:
        return "Not started"
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
