"""Runs that go by themselves and now ask a person, in groups that ask the same at one step: a mail server that broke off leaves hundreds of them.

They are answered together; each answer is given as if its run alone had been opened, with the same rights and checks.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from console import runs, workflows
from console.core.actor import Actor
from console.core.errors import ConsoleError, Invalid, NotFound
from console.core.run.origin import HANDS_OFF
from console.infra.db import tables
from console.infra.db.engine import read_rows, read_value
from console.monitoring.incidents import AT_ONCE, MOST_GROUPS, Incident, Retried, group_of
from console.runs import RunHead
from console.runs.views import lists, record_reach
from console.workflows import Known

MARK = "asks-"
"""How the ids of these groups begin: nobody has failed yet."""
REASON = "reason"
ASKING = (
    tables.run.c.mode == HANDS_OFF,
    tables.run.c.status.in_(("saved", "waiting_person")),
    tables.run.c.holder.is_(None),
    tables.run.c.ended_at.is_(None),
    tables.run.c.take_over["code"].astext.is_not(None),
)
"""The condition on `console.run` that it goes by itself and now asks for somebody."""


def groups(actor: Actor, workflow: Known) -> list[Incident]:
    """The groups of the workflow that the actor may see, the latest first; one statement besides those of a list of runs."""
    run, attempt = tables.run.c, tables.attempt.c
    code, step = run.take_over["code"].astext, attempt.step
    grouped = (
        sa.select(code.label("code"), step.label("step"), sa.func.count().label("count"))
        .add_columns(sa.func.max(run.take_over["message"].astext).label("message"))
        .add_columns(
            sa.func.array_agg(run.version.distinct()).label("versions"), sa.func.max(run.id).label("newest")
        )
        .add_columns(
            sa.func.min(run.active_at).label("first_at"), sa.func.max(run.active_at).label("last_at")
        )
        .join(tables.attempt, sa.and_(attempt.run == run.id, attempt.n == run.current))
        .where(record_reach.countable_runs(actor, *_asking(workflow)))
        .group_by(code, step)
        .order_by(sa.func.max(run.active_at).desc())
        .limit(MOST_GROUPS)
    )
    rows = read_rows(grouped)
    newest = [row.newest for row in rows]
    heads = {head.id: head for head in lists.with_ids(actor, newest)}
    return [
        group_of(row, workflow, heads[row.newest], f"{MARK}{row.step}-{row.code}", row.message or "")
        for row in rows
        if row.newest in heads
    ]


def count(actor: Actor, workflow: Known) -> int:
    """How many groups of the workflow the actor may see; one statement."""
    run, attempt = tables.run.c, tables.attempt.c
    counted = sa.select(
        sa.func.count(sa.distinct(sa.func.concat(attempt.step, " ", run.take_over["code"].astext)))
    )
    joined = counted.select_from(tables.run).join(
        tables.attempt, sa.and_(attempt.run == run.id, attempt.n == run.current)
    )
    return int(read_value(joined.where(record_reach.countable_runs(actor, *_asking(workflow)))))


def runs_of(actor: Actor, workflow: Known, group: Incident) -> list[RunHead]:
    """The first runs of the group that the actor may see, the oldest first."""
    run, attempt = tables.run.c, tables.attempt.c
    here = (
        sa.select(attempt.run)
        .where(attempt.run == run.id, attempt.n == run.current, attempt.step == group.step)
        .exists()
    )
    same = (run.take_over["code"].astext == group.code, here)
    return lists.visible_runs(
        actor, *_asking(workflow), *same, order=(run.created_at, run.id), limit=AT_ONCE
    )[0]


def answers(actor: Actor, group: Incident) -> Sequence[Mapping[str, Any]]:
    """What may be answered for all of them: value, label and whether a reason is `needed`. Empty where each has a form of its own to be filled in."""
    current = runs.get(actor, group.newest.id, shown=False).json["current"] or {}
    offered = [(each["value"], each["label"], set(each["required"])) for each in current.get("outcomes", ())]
    if not offered and current:  # it only asks to go on
        fields = (current["form"] or {}).get("fields", ())
        offered = [("", current["button"], {field["name"] for field in fields if field["required"]})]
    return [
        {"value": value, "label": label, "needed": bool(needed)}
        for value, label, needed in offered
        if needed <= {REASON}
    ]


def answer_all(actor: Actor, workflow: Known, cause: str, outcome: str, reason: str) -> Retried:
    """Answer the runs of a group alike, at most `AT_ONCE`. If one is refused, the others go on, and it waits as before.

    Raises NotAllowed without the right to start the workflow, NotFound if nothing of the group is open for the actor, Invalid for an answer that it does not offer.
    """
    workflows.require(actor, workflow, "start")
    group = next((each for each in groups(actor, workflow) if each.cause == cause), None)
    if group is None:
        raise NotFound("Nobody waits for this answer any more.")
    chosen = next((each for each in answers(actor, group) if each["value"] == outcome), None)
    if chosen is None:
        raise Invalid("Choose an answer.", at=("outcome", "Choose one of the answers."))
    if chosen["needed"] and not reason.strip():
        raise Invalid("A reason is needed.", at=(REASON, "Say why in a few words; it is kept in the log."))
    answered = {
        head.id: _answered(actor, head, group.step, outcome, reason)
        for head in runs_of(actor, workflow, group)
    }
    refused = {run_id: why for run_id, why in answered.items() if why is not None}
    return Retried(
        {run_id: run_id for run_id in answered if run_id not in refused},
        refused,
        sum(head.id not in refused for head in runs_of(actor, workflow, group)),
    )


def _answered(actor: Actor, head: RunHead, step: str, outcome: str, reason: str) -> str | None:
    """Why this run was not answered; None where it was."""
    held = False
    try:
        (runs.resume if head.status == "saved" else runs.take_over)(actor, head.id, revision=None)
        held = True
        runs.complete(
            actor,
            head.id,
            runs.Submission(step, None, {REASON: reason} if reason.strip() else {}, outcome or None),
        )
    except ConsoleError as error:
        if held:
            runs.save(actor, head.id, revision=None)
        return error.message
    return None


def _asking(workflow: Known) -> list[sa.ColumnElement[bool]]:
    return [tables.run.c.workflow == workflow.id, *ASKING]
