"""Failed runs in groups with one cause each, which are retried or closed together."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from console import log, workflows
from console.automation import enrolments
from console.core.actor import Actor
from console.core.errors import ConsoleError, Malformed, NotFound
from console.infra.db import tables
from console.infra.db.engine import read_rows, read_value, transaction
from console.monitoring.failed_runs import TOLD_BY_WHOLE
from console.runs import RunHead
from console.runs.views import lists, record_reach
from console.workflows import Definition, Known, lifecycle

MOST_GROUPS = 100
AT_ONCE = 100
"""How many runs one retry does; the next does the following ones."""
RECORD_GONE = (
    "Its record is not there any more, or you may not see it: close the incident for it with a reason."
)


@dataclass(frozen=True, slots=True)
class Incident:
    """Failed runs of a workflow with one cause that nobody has done again or closed. `newest` is the last of them. Times are aware UTC."""

    workflow: Known
    cause: str
    code: str
    step: str
    step_title: str
    message: str
    count: int
    versions: Sequence[int]
    first_at: datetime
    last_at: datetime
    newest: RunHead

    def to_json(self) -> dict[str, Any]:
        """The incident as one of a list of the API."""
        return {
            "id": self.cause,
            "workflow": {"id": self.workflow.id, "slug": self.workflow.slug, "title": self.workflow.title},
            **{name: getattr(self, name) for name in ("code", "step", "message", "count")},
            "versions": list(self.versions),
            "first_at": log.body.moment(self.first_at),
            "last_at": log.body.moment(self.last_at),
            "newest": self.newest.id,
        }


@dataclass(frozen=True, slots=True)
class Retried:
    """What a retry of a group did: old run → new run; old run → why it was not done again; and how many are left."""

    started: Mapping[str, str]
    refused: Mapping[str, str]
    left: int


def open_incidents(actor: Actor, workflow: str | None = None) -> list[Incident]:
    """The open incidents that the actor may see, of one workflow (its id) or of all, the latest first. Two statements besides those of a list of runs."""
    failure, run = tables.failure.c, tables.run.c
    grouped = (
        sa.select(
            failure.workflow,
            failure.cause,
            failure.code,
            failure.step,
            sa.func.count().label("count"),
            sa.func.array_agg(failure.version.distinct()).label("versions"),
            sa.func.min(failure.at).label("first_at"),
            sa.func.max(failure.at).label("last_at"),
            sa.func.max(failure.run).label("newest"),
        )
        .join(tables.run, run.id == failure.run)
        .where(*_open(actor, workflow))
        .group_by(failure.workflow, failure.cause, failure.code, failure.step)
        .order_by(sa.func.max(failure.at).desc())
        .limit(MOST_GROUPS)
    )
    rows = read_rows(grouped)
    if not rows:
        return []
    heads = {head.id: head for head in lists.with_ids(actor, [row.newest for row in rows])}
    known = {entry.id: entry for entry in workflows.all_known()}
    return [
        group_of(row, known[row.workflow], newest, row.cause, newest.reason or "")
        for row in rows
        if (newest := heads.get(row.newest)) and row.workflow in known
    ]


def count_open(actor: Actor, workflow: str) -> int:
    """How many causes of failure of the workflow are open, as far as the actor may see them; one statement."""
    failure, run = tables.failure.c, tables.run.c
    counted = (
        sa.select(sa.func.count(failure.cause.distinct()))
        .join(tables.run, run.id == failure.run)
        .where(*_open(actor, workflow))
    )
    return int(read_value(counted))


def count_alike(actor: Actor, workflow: str, cause: str) -> int:
    """How many open failures of the workflow (its id) with this cause the actor may see."""
    failure = tables.failure.c
    counted = (
        sa.select(sa.func.count())
        .select_from(tables.failure)
        .join(tables.run, tables.run.c.id == failure.run)
    )
    return int(read_value(counted.where(*_open(actor, workflow), failure.cause == cause)))


def failed_runs(actor: Actor, workflow_ids: Collection[str]) -> dict[str, int]:
    """Workflow → how many of its runs failed and are neither done again nor set aside, as far as the actor may see them; one statement."""
    failure, run = tables.failure.c, tables.run.c
    open_ones = sa.select(failure.run).where(*_unsettled(None), failure.workflow.in_(workflow_ids))
    standing = run.id == sa.any_(
        sa.func.array(open_ones.scalar_subquery())
    )  # an array is looked up one by one, instead of reading all runs
    seen = record_reach.countable_runs(
        actor, run.status.in_(("failed", "timed_out")), run.workflow.in_(workflow_ids), standing
    )
    counted = sa.select(run.workflow, sa.func.count()).where(seen)
    return {row[0]: row[1] for row in read_rows(counted.group_by(run.workflow))}


def runs_of(actor: Actor, workflow: Known, cause: str, *, limit: int = AT_ONCE) -> list[RunHead]:
    """The first failed runs of the open incident that the actor may see, the oldest first."""
    failure = tables.failure.c
    failed = sa.select(failure.run).where(*_unsettled(workflow.id), failure.cause == cause)
    run = tables.run.c
    heads, _ = lists.visible_runs(actor, run.id.in_(failed), order=(run.created_at, run.id), limit=limit)
    return heads


def acted(run_ids: Sequence[str]) -> bool:
    """Whether one of these runs changed something outside or sent a message, so that beginning at the start does it again. One statement; the caller may see them."""
    effect, message = (
        tables.effect.c,
        sa.table("message", sa.column("run"), sa.column("sent_at"), schema="console"),
    )
    changed = sa.exists().where(effect.run.in_(run_ids), effect.status != "failed")
    sent = sa.exists().where(message.c.run.in_(run_ids), message.c.sent_at.is_not(None))
    return bool(read_value(sa.select(sa.or_(changed, sent))))


@dataclass(frozen=True, slots=True)
class Preview:
    """What a retry of a group would do: the runs that it takes now, of how many, and whether one of them has acted outside (see `acted`)."""

    heads: Sequence[RunHead]
    count: int
    acted: bool


def preview(actor: Actor, workflow: Known, cause: str) -> Preview:
    """What `retry_all` would do now. Raises as that does."""
    workflows.require(actor, workflow, "start")
    heads = _runs_left(actor, workflow, cause)
    return Preview(heads, count_alike(actor, workflow.id, cause), acted([head.id for head in heads]))


def retry_all(
    actor: Actor,
    workflow: Known,
    cause: str,
    *,
    origin: Literal["start", "failure"],
    version: Literal["original", "current"],
) -> Retried:
    """Retry the failed runs of an incident, at most `AT_ONCE`, each as a new run linked to the old one. If one is refused, the others go on.

    Raises NotAllowed without the right to start the workflow, NotFound if nothing of the incident is open for the actor.
    """
    workflows.require(actor, workflow, "start")
    heads = _runs_left(actor, workflow, cause)
    started: dict[str, str] = {}
    refused: dict[str, str] = {}
    for head in heads:
        try:
            started[head.id] = enrolments.rerun(actor, head.id, origin=origin, version=version)
        except ConsoleError as error:
            refused[head.id] = RECORD_GONE if isinstance(error, NotFound) else error.words
    _settle(started)
    return Retried(started, refused, len(runs_of(actor, workflow, cause, limit=AT_ONCE)))


def retried_since(actor: Actor, workflow: Known, cause: str, since: datetime) -> Retried:
    """The runs of an incident that were done again since then, as far as the actor sees the new ones, and how many are left. Starts nothing."""
    failure, run = tables.failure.c, tables.run.c
    settled = sa.select(failure.run, failure.retried_by).where(
        failure.workflow == workflow.id, failure.cause == cause
    )
    found = {new: old for old, new in read_rows(settled.where(failure.retried_by.is_not(None)))}
    again = run.id.in_(
        sa.select(failure.retried_by).where(failure.workflow == workflow.id, failure.cause == cause)
    )
    heads, _ = lists.visible_runs(
        actor, again, run.created_at >= since, order=(run.created_at, run.id), limit=AT_ONCE
    )
    return Retried(
        {found[head.id]: head.id for head in heads if head.id in found},
        {},
        len(runs_of(actor, workflow, cause)),
    )


def close(actor: Actor, workflow: Known, cause: str, reason: str) -> int:
    """Close an incident without doing its runs again; how many were closed. Needs the right to cancel runs, and a reason.

    Raises NotAllowed, Invalid, NotFound if nothing of it is open for the actor.
    """
    workflows.require(actor, workflow, "cancel")
    why = lifecycle.require_reason(reason)
    heads = _runs_left(actor, workflow, cause)
    failure = tables.failure.c
    with transaction() as connection:
        closing = sa.update(tables.failure).where(*_unsettled(workflow.id), failure.cause == cause)
        seen = closing.where(failure.run.in_([head.id for head in heads])).values(
            closed_at=log.now(), closed_by=actor.id
        )
        count = connection.execute(seen).rowcount
        opened = {"workflow": workflow.id, "slug": workflow.slug, "cause": cause, "count": count}
        chain = None if workflow.label else workflows.CHAIN
        log.note(
            actor,
            "incident_closed",
            open=opened,
            sealed={"reason": why},
            team=workflow.team or None,
            chain=chain,
            label=workflow.label,
            connection=connection,
        )
    return count


def checked_origin(text: str) -> Literal["start", "failure"]:
    """Where a retry begins. Raises Malformed."""
    found: Mapping[str, Literal["start", "failure"]] = {"start": "start", "failure": "failure"}
    if text not in found:
        raise Malformed("There is no such beginning.", at=("from", "One of start, failure."))
    return found[text]


def checked_version(text: str) -> Literal["original", "current"]:
    """The version that a retry takes: `same` or `live`, as the API calls them. Raises Malformed."""
    found: Mapping[str, Literal["original", "current"]] = {"same": "original", "live": "current"}
    if text not in found:
        raise Malformed("There is no such version.", at=("version", "One of same, live."))
    return found[text]


def _settle(started: Mapping[str, str]) -> None:
    """Write down at once which runs were retried. Reading the log would do it a second later."""
    failure = tables.failure.c
    with transaction() as connection:
        for old, new in started.items():
            connection.execute(sa.update(tables.failure).where(failure.run == old).values(retried_by=new))


def settled(run_ids: Sequence[str]) -> dict[str, str]:
    """Run → what became of its failure, for those that were done again or set aside. One statement; the caller may see the runs."""
    failure = tables.failure.c
    wanted = sa.select(failure.run, failure.retried_by).where(
        failure.run.in_(run_ids), sa.or_(failure.retried_by.is_not(None), failure.closed_at.is_not(None))
    )
    return (
        {row.run: "done again" if row.retried_by else "set aside" for row in read_rows(wanted)}
        if run_ids
        else {}
    )


def _unsettled(workflow: str | None) -> list[sa.ColumnElement[bool]]:
    """What nobody has done again or set aside, without the parts of runs that did not complete, or ask somebody: those stand for them."""
    failure = tables.failure.c
    told_there = sa.literal_column(TOLD_BY_WHOLE.format(run="failure.run"), sa.Boolean)
    unsettled: list[sa.ColumnElement[bool]] = [
        failure.retried_by.is_(None),
        failure.closed_at.is_(None),
        ~told_there,
    ]
    return unsettled if workflow is None else [*unsettled, failure.workflow == workflow]


def _open(actor: Actor, workflow: str | None) -> list[sa.ColumnElement[bool]]:
    run, unsettled = tables.run.c, _unsettled(workflow)
    standing = run.id.in_(
        sa.select(tables.failure.c.run).where(*unsettled).correlate(None)
    )  # of those that are settled there may be very many
    own = [run.status.in_(("failed", "timed_out")), standing] + (
        [] if workflow is None else [run.workflow == workflow]
    )
    return [*unsettled, record_reach.countable_runs(actor, *own)]


def _runs_left(actor: Actor, workflow: Known, cause: str) -> list[RunHead]:
    if heads := runs_of(actor, workflow, cause):
        return heads
    raise NotFound("Nothing of this incident is open any more.")


def group_of(row: Any, known: Known, newest: RunHead, cause: str, message: str) -> Incident:
    """The runs of a row, which have the same `cause`, as an incident."""
    title = title_of_step(workflows.readable_version(known.id, newest.version), row.step)
    versions = sorted(row.versions)
    return Incident(
        known,
        cause,
        row.code,
        row.step,
        title,
        message,
        row.count,
        versions,
        row.first_at,
        row.last_at,
        newest,
    )


def title_of_step(definition: Definition | None, step_id: str) -> str:
    """The title of the step, as far as the version can be read; else its id."""
    steps = definition.document.steps if definition is not None else []
    return next((step.title for step in steps if step.id == step_id), step_id)
