"""Workflows as cards: what each is, how many of its runs are live, and what came of those that ended in the last week."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from console import log, runs, workflows
from console.auth import accounts
from console.core.actor import Actor
from console.core.moments import midnight
from console.infra.db import tables
from console.infra.db.engine import read_rows
from console.messaging import messages
from console.monitoring import asking_runs, incidents, unable_to_start
from console.monitoring.outcomes import DayCount, counted_days, filled, success_rate
from console.runs.views import record_reach
from console.workflows import Known

WEEK = 7


@dataclass(frozen=True, slots=True)
class Card:
    """A workflow on a card. `steps` are those of the live version, else of the draft; `days` what came of its runs on the last seven days.

    `live_runs` counts the runs of teams where the reader may see them. `starts` are the kinds of the
    triggers that are on; `stuck`: one of them does not work at the moment; `unable` is why no run can begin at all, as its own pages say it; `unsent` counts the messages of those days that did not leave. `success` is between 0 and 1, None where nothing counts. Times are aware UTC.
    """

    known: Known
    team: str
    collection: str
    steps: int
    live_runs: int
    published_at: datetime | None
    next_at: datetime | None
    starts: Collection[str]
    days: Sequence[DayCount]
    success: float | None
    may_switch: bool
    stuck: bool = False
    unable: str | None = None
    unsent: int = 0


_STEPS = sa.func.jsonb_array_length(
    sa.func.jsonb_path_query_array(
        sa.case(
            (
                tables.workflow_version.c.document.is_not(None),
                sa.cast(sa.func.convert_from(tables.workflow_version.c.document, "UTF8"), JSONB),
            ),
            else_=tables.workflow.c.draft,
        ),
        sa.text("'$.steps[*]'"),
    )
)
"""How many steps the live version has, else the draft, which may hold anything."""


def cards(actor: Actor, zone: str) -> list[Card]:
    """Every workflow that the actor may see, with drafts, by title; days are those of `zone`. Five statements at most, whatever their number; for a reader
    who sees only a part of the records one more, and those to the sources.
    """
    seen = [known for known in workflows.all_known() if workflows.may(actor, known, "see")]
    if not seen:
        return []
    version_at, workflow_at = tables.workflow_version.c, tables.workflow.c
    lives = sa.and_(workflow_at.id == version_at.workflow, workflow_at.live_version == version_at.number)
    fires = tables.trigger.c
    next_at = (
        sa.select(sa.func.min(fires.next_at))
        .where(fires.workflow == workflow_at.id, fires.enabled)
        .scalar_subquery()
    )
    starts = (
        sa.select(sa.func.array_agg(fires.kind.distinct()))
        .where(fires.workflow == workflow_at.id, fires.enabled)
        .scalar_subquery()
    )
    stuck = (
        sa.select(sa.literal(True))
        .where(fires.workflow == workflow_at.id, fires.enabled, fires.problem.is_not(None))
        .limit(1)
    )
    columns = (
        stuck.scalar_subquery().label("stuck"),
        workflow_at.id,
        version_at.published_at,
        _STEPS.label("steps"),
        next_at.label("next_at"),
        starts.label("starts"),
    )
    stored = sa.select(*columns).outerjoin(tables.workflow_version, lives)
    heads = {row.id: row for row in read_rows(stored)}
    counts, names = runs.live_counts(actor), {team.id: team.name for team in accounts.teams()}
    labels = {name: collection.label for name, collection in (workflows.connected() or {}).items()}
    open_accounts = accounts.service_accounts() if any(map(unable_to_start.may_begin, seen)) else {}
    first = first_day(log.now(), zone)
    ended = counted_days(actor, first, zone)
    unsent = messages.count_unsent(actor, midnight(first, zone))
    return [
        _card(
            actor,
            known,
            heads[known.id],
            counts,
            names,
            labels,
            filled(ended.get(known.id, {}), first, WEEK),
            open_accounts,
            unsent.get(known.id, 0),
        )
        for known in seen
        if known.id in heads
    ]


def automations(actor: Actor, zone: str) -> list[tuple[Card, int, int]]:
    """The cards of live workflows that run by themselves and that the actor may switch, each with the number of its runs that ask for somebody, and
    of those that failed and were not dealt with.

    No statement where there is none; else those of `cards` and two.
    """
    own = {
        known.id
        for known in workflows.all_known()
        if unable_to_start.may_begin(known) and _may_switch(actor, known)
    }
    if not own:
        return []
    found, run = [card for card in cards(actor, zone) if card.known.id in own], tables.run.c
    asking = sa.select(run.workflow, sa.func.count()).where(
        record_reach.countable_runs(actor, run.workflow.in_(own), *asking_runs.ASKING)
    )
    counts = {row[0]: row[1] for row in read_rows(asking.group_by(run.workflow))}
    failed = incidents.failed_runs(actor, own)
    return [(card, counts.get(card.known.id, 0), failed.get(card.known.id, 0)) for card in found]


def _may_switch(actor: Actor, known: Known) -> bool:
    return workflows.may(actor, known, "activate")


def first_day(now: datetime, zone: str, days: int = WEEK) -> date:
    """The first of the last `days` days in the zone, today being the last."""
    return now.astimezone(ZoneInfo(zone)).date() - timedelta(days=days - 1)


def _card(
    actor: Actor,
    known: Known,
    head: Any,
    counts: Mapping[str, int],
    teams: Mapping[str, str],
    labels: Mapping[str, str],
    days: Sequence[DayCount],
    open_accounts: Mapping[str, str],
    unsent: int,
) -> Card:
    return Card(
        known,
        teams.get(known.team, known.team),
        labels.get(known.collection or "", known.collection or ""),
        int(head.steps or 0),
        counts.get(known.id, 0),
        head.published_at,
        head.next_at if known.status == "active" else None,
        frozenset(head.starts or ()) if known.status == "active" else frozenset(),
        days,
        success_rate(days),
        _may_switch(actor, known),
        known.status == "active" and bool(head.stuck),
        unable_to_start.unable_now(known, open_accounts),
        unsent,
    )
