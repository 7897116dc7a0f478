"""Measures of proposals: how often people accepted them, how long it took, what was wrong; for team leads and auditors.

Everything is counted over a window that the reader chooses and over its newest calls only, so that a page costs the same after ten years as after one.
Confidential runs are in no figure. What a figure says of one person it says to those alone who hand out the team's work, or audit.
"""

import functools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from console import workflows
from console.ai.evaluation.figures import COUNTS, Figures
from console.ai.proposals import field_labels
from console.auth import access, accounts
from console.core.actor import Actor
from console.core.errors import NotAllowed, NotFound
from console.core.plain_words import humanised
from console.core.run.proposal import LEVELS
from console.infra.db.engine import fetch
from console.runs.views import record_reach

WINDOWS = (7, 30, 90)
MOST_CALLS = 20_000
ENOUGH = 30
QUICK_S = 2
KEPT_S = 60.0

_DIMENSIONS = ("workflow", "step", "version", "model", "prompt_version", "person", "week", "reason")
_SETS = (
    (),
    ("workflow", "step", "version"),
    ("workflow", "step"),
    ("model",),
    ("prompt_version",),
    ("person",),
    ("week",),
    ("reason",),
    ("workflow", "step", "person"),
)
_CALLS = """
with told as materialized (
    select c.id, c.workflow, c.step, c.version, coalesce(c.model, c.provider) as model, c.prompt_version, c.at, c.status, c.code, c.mode, c.ms, c.cost, c.seconds, c.opened,
           c.asked, c.revised_at, c.submitted_by as person, c.handled_manually is true as by_hand, date_trunc('week', c.at at time zone 'UTC')::date as week,
           c.submitted_at is not null and c.submitted_by not like 'sys%%' as decided, c.submitted_at is not null and c.submitted_by like 'sys%%' as automatic,
           extract(epoch from c.submitted_at - c.at)::float8 as elapsed
    from console.ai_call c
    where c.at >= %(since)s and c.at < %(until)s and c.label is null and c.mode <> 'second' and (%(seen)s::text[] is null or c.run = any(%(seen)s)) and (c.team, c.workflow) in (select * from unnest(%(teams)s::text[], %(workflows)s::text[]))
      and (%(workflow)s::text is null or c.workflow = %(workflow)s) and (%(step)s::text is null or c.step = %(step)s)
    order by c.at desc limit %(limit)s
)
"""
_ABOUT = f"""
select r.id, r.collection, r.record from (
    select distinct c.run from (
        select c.run from console.ai_call c
        where c.at >= %(since)s and c.at < %(until)s and c.label is null
          and (c.team, c.workflow) in (select * from unnest(%(teams)s::text[], %(workflows)s::text[])) order by c.at desc limit %(limit)s) c) c
join {access.EVERY_RUN.sql()} on r.id = c.run
"""  # noqa: S608 (a text of ours; calls of confidential runs have a label)
_VALUES = """
left join lateral (
    select count(*) filter (where f.dropped is null) as found, count(*) filter (where f.dropped is not null) as dropped,
           count(*) filter (where f.outcome = 'accepted') as accepted, count(*) filter (where f.outcome = 'small_edit') as small,
           count(*) filter (where f.outcome = 'edited') as edited, count(*) filter (where f.outcome = 'cleared') as cleared,
           count(*) filter (where f.outcome = 'ignored') as ignored, count(*) filter (where f.outcome = 'blind_equal') as equal,
           count(*) filter (where f.outcome = 'blind_different') as different
    from console.ai_field f where f.call = c.id) f on true
"""
_SHOWN = "c.decided and c.status = 'ok' and c.mode not in ('blind', 'shadow')"
_TAKEN = f"{_SHOWN} and not c.by_hand"
_WITHOUT = "c.decided and (c.mode in ('blind', 'shadow') or c.status <> 'ok')"
_FIGURES: Mapping[str, str] = {
    "asked": "count(*)",
    "proposed": "count(*) filter (where c.status = 'ok')",
    "decided": "count(*) filter (where c.decided)",
    "by_hand": "count(*) filter (where c.decided and c.by_hand)",
    "automatic": "count(*) filter (where c.automatic)",
    "shown": f"count(*) filter (where {_SHOWN})",
    "taken": f"count(*) filter (where {_TAKEN} and c.accepted > 0)",
    "whole": f"count(*) filter (where {_TAKEN} and c.accepted > 0 and c.small + c.edited + c.cleared + c.ignored = 0)",
    "quick": f"count(*) filter (where {_TAKEN} and c.accepted > 0 and c.seconds < {QUICK_S})",
    "unopened": f"count(*) filter (where {_TAKEN} and c.accepted > 0 and coalesce(c.opened, 0) = 0)",
    "revised": f"count(*) filter (where {_TAKEN} and c.accepted > 0 and c.revised_at is not null)",
    "hidden": "count(*) filter (where c.decided and c.equal + c.different > 0)",
    "hidden_agreed": "count(*) filter (where c.decided and c.equal > 0 and c.different = 0)",
    "seconds_with": f"percentile_cont(0.5) within group (order by c.elapsed) filter (where {_TAKEN})",
    "seconds_without": f"percentile_cont(0.5) within group (order by c.elapsed) filter (where {_WITHOUT})",
    "cost": "sum(c.cost)",
    "p95_ms": "percentile_disc(0.95) within group (order by c.ms)",
    "wanted": "(sum(greatest(cardinality(c.asked), 1)) filter (where c.status in ('ok', 'declined')))::bigint",
    "covered": "(sum(least(greatest(cardinality(c.asked), 1), c.found)) filter (where c.status in ('ok', 'declined')))::bigint",
    **{name: f"(sum(c.{name}) filter (where c.decided))::bigint" for name in COUNTS},
}
_BY_CALL = f"""
{_CALLS}, counted as (
    select c.*, f.*, case when not c.decided then null when c.status <> 'ok' then coalesce(c.code, c.status) when c.by_hand then 'chosen' end as reason
    from told c {_VALUES}
)
select grouping({", ".join(_DIMENSIONS)}), {", ".join(_DIMENSIONS)}, {", ".join(_FIGURES.values())}
from counted c group by grouping sets ({", ".join("(" + ", ".join(names) + ")" for names in _SETS)})
"""  # noqa: S608 (texts of this file)
_PER_VALUE = f"""
{_CALLS}
select grouping(c.workflow, c.step, f.name, f.confidence), c.workflow, c.step, f.name, f.confidence,
       count(*) filter (where f.dropped is null), count(*) filter (where f.dropped is not null),
       {
    ", ".join(
        f"count(*) filter (where c.decided and f.outcome = '{outcome}')"
        for outcome in (
            "accepted",
            "small_edit",
            "edited",
            "cleared",
            "ignored",
            "blind_equal",
            "blind_different",
        )
    )
}
from told c join console.ai_field f on f.call = c.id
group by grouping sets ((c.workflow, c.step, f.name), (c.workflow, c.step, f.name, f.confidence), (f.confidence))
"""  # noqa: S608 (as above)
_MEASURED = """
select f.name, f.confidence, count(*) filter (where f.outcome in ('accepted', 'blind_equal')), count(*) from (
    select c.id from console.ai_call c where c.workflow = %s and c.step = %s and c.at >= %s and c.label is null and c.submitted_at is not null
      and c.submitted_by not like 'sys%%' order by c.at desc limit 1000) c
join console.ai_field f on f.call = c.id and f.dropped is null and f.outcome is not null and f.confidence is not null group by 1, 2
"""


@dataclass(frozen=True, slots=True)
class Window:
    """The last `days` up to `until`; perhaps of one workflow (its slug), perhaps of one of its steps."""

    until: datetime
    days: int = 30
    workflow: str | None = None
    step: str | None = None

    @property
    def since(self) -> datetime:
        """Its first moment."""
        return self.until - timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Group:
    """Figures of what has one thing in common. `key` is what: ids of workflow and step, a model, a person's id, a Monday, a code."""

    key: tuple[Any, ...]
    figures: Figures


@dataclass(frozen=True, slots=True)
class Field:
    """How the proposals for one field ended (without names: all proposals at one level). `level` None: all levels together."""

    workflow: str
    step: str
    name: str
    level: str | None
    found: int
    dropped: int
    figures: Figures


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the page shows. `cut` says that the window holds more calls than are counted; groups come in the order of their use."""

    window: Window
    total: Figures
    steps: Sequence[Group] = ()
    versions: Sequence[Group] = ()
    models: Sequence[Group] = ()
    prompts: Sequence[Group] = ()
    people: Sequence[Group] = ()
    weeks: Sequence[Group] = ()
    reasons: Sequence[Group] = ()
    stamps: Sequence[Group] = ()
    fields: Sequence[Field] = ()
    levels: Sequence[Field] = ()
    cut: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[tuple[str, str], str] = field(default_factory=dict)
    labels: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    known: Sequence[workflows.Known] = ()


def pairs(actor: Actor) -> dict[tuple[str, str], workflows.Known]:
    """(team, workflow id) of which the actor may read how proposals did: where they hand out the work (`workflow.assign`), or audit (`ai.audit`)."""
    return {(workflow.team, workflow.id): workflow for workflow in _readable(actor)}


def _readable(actor: Actor) -> Iterator[workflows.Known]:
    audits = access.can(actor, None, "ai", "audit")
    for workflow in workflows.all_known():
        team, obj = workflow.team, f"workflow:{workflow.slug}"
        if (
            workflow.label is None
            and access.can(actor, team, obj, "see")
            and (audits or access.can(actor, team, obj, "assign"))
        ):
            yield workflow


def may_read(actor: Actor) -> bool:
    """Whether there is anything at all that the actor may read here. Each page asks it, so it stops at the first."""
    return next(_readable(actor), None) is not None


def allowed(actor: Actor) -> dict[tuple[str, str], workflows.Known]:
    """`pairs`, which must hold something. Raises NotAllowed."""
    if not (by_step := pairs(actor)):
        raise NotAllowed(
            f"Needs workflow.assign in a team, or ai.audit. {access.who_grants()} can grant it.",
            need=("workflow:*", "assign"),
            words=f"This is for who leads a team, or audits the AI. {access.who_grants()} can grant it.",
        )
    return by_step


def report(actor: Actor, window: Window) -> Report:
    """How proposals did in the window, for the teams and workflows that the actor answers for. Three statements, and for a reader with a record scope one
    more, and those to the sources.

    Raises NotAllowed, and NotFound for a workflow that is not among theirs.
    """
    seen = allowed(actor)
    given = parameters(actor, seen, window)
    workflows_seen = sorted({each.id: each for each in seen.values()}.values(), key=lambda each: each.title)
    rows = fetch(_BY_CALL, given)
    groups = {names: _groups(rows, names) for names in _SETS}
    total = groups[()][0].figures if groups[()] else Figures()
    if not total.asked:
        return Report(window, Figures(), known=workflows_seen)
    values = [_field(row) for row in fetch(_PER_VALUE, given) if row[0] or row[4]]
    people = {group.key[0] for group in groups["person",]} - {None}
    return Report(
        window,
        total,
        steps=groups["workflow", "step"],
        versions=groups["workflow", "step", "version"],
        models=_of_one_step(groups["model",]),
        prompts=_of_one_step(groups["prompt_version",]),
        people=_of_one_step(groups["person",]),
        weeks=sorted(groups["week",], key=lambda group: group.key),
        reasons=_of_one_step(groups["reason",]),
        stamps=_stamps(groups["workflow", "step", "person"]),
        fields=sorted(
            (each for each in values if each.name),
            key=lambda each: (each.workflow, each.step, each.name, _height(each.level)),
        ),
        levels=sorted(
            (each for each in values if not each.name and each.level), key=lambda each: _height(each.level)
        ),
        cut=total.asked >= MOST_CALLS,
        names=accounts.names(people) if people else {},
        titles=titles(workflows_seen, [group.key for group in groups["workflow", "step"]]),
        labels=field_labels.of_live(
            workflows_seen, [(each.workflow, each.step, each.name) for each in values if each.name]
        ),
        known=workflows_seen,
    )


def parameters(
    actor: Actor, seen: Mapping[tuple[str, str], workflows.Known], window: Window
) -> dict[str, Any]:
    """The parameters of the SQL statements. Raises NotFound for a workflow that is not among those seen."""
    given = _parameters(seen, window)
    limited = record_reach.limited_collections(actor)
    counts_all = not any(each.collection in limited for each in seen.values())
    return given | {"seen": None if counts_all else record_reach.countable(actor, fetch(_ABOUT, given))}


def _parameters(seen: Mapping[tuple[str, str], workflows.Known], window: Window) -> dict[str, Any]:
    chosen = next((each.id for each in seen.values() if window.workflow in (each.slug, each.id)), None)
    if window.workflow is not None and chosen is None:
        raise NotFound(f"There is no workflow {window.workflow} here.")
    return {
        "since": window.since,
        "until": window.until,
        "teams": [team for team, _ in seen],
        "workflows": [workflow for _, workflow in seen],
        "workflow": chosen,
        "step": window.step,
        "limit": MOST_CALLS,
    }


def titles(
    all_known: Sequence[workflows.Known], steps: Sequence[tuple[Any, ...]]
) -> dict[tuple[str, str], str]:
    """(workflow, step) → the step's title in the live version; its id as words where it has none any more."""
    live = {each.id: each.live for each in all_known}
    titles_by_step = {}
    for workflow, step in {(each[0], each[1]) for each in steps}:
        number = live.get(workflow)
        document = workflows.version(workflow, number).document if number else None
        named = next((each.title for each in document.steps if each.id == step), None) if document else None
        titles_by_step[workflow, step] = named or humanised(str(step))
    return titles_by_step


def measured(workflow: str, step: str) -> Mapping[str, Mapping[str, tuple[int, int]]]:
    """Field → confidence → (taken as they were, decided), of the last 90 days; only where at least 30 were decided. At most a minute old.

    For the bar beside the word; `outcome` is the choice of a step that asks for one.
    """
    return _measured(workflow, step, int(time.monotonic() // KEPT_S))


@functools.lru_cache(maxsize=512)
def _measured(workflow: str, step: str, _minute: int) -> Mapping[str, Mapping[str, tuple[int, int]]]:
    counts: dict[str, dict[str, tuple[int, int]]] = {}
    for name, level, accepted, decided in fetch(
        _MEASURED, (workflow, step, datetime.now(UTC) - timedelta(days=90))
    ):
        if decided >= ENOUGH:
            counts.setdefault(name, {})[level] = (accepted, decided)
    return counts


def _groups(rows: Sequence[Any], names: Sequence[str]) -> list[Group]:
    """The groups of one grouping set, those with most calls first."""
    mark = sum(1 << place for place, name in enumerate(reversed(_DIMENSIONS)) if name not in names)
    places = [1 + _DIMENSIONS.index(name) for name in names]
    first = 1 + len(_DIMENSIONS)
    groups = [
        Group(
            tuple(row[place] for place in places),
            Figures(
                **{
                    name: value
                    for name, value in zip(_FIGURES, row[first:], strict=True)
                    if value is not None
                }
            ),
        )
        for row in rows
        if row[0] == mark
    ]
    return sorted(groups, key=lambda group: (-group.figures.asked, str(group.key)))


def _field(row: Sequence[Any]) -> Field:
    _, workflow, step, name, level, found, dropped, *outcomes = row
    counts = ("accepted", "small", "edited", "cleared", "ignored", "equal", "different")
    return Field(
        workflow or "",
        step or "",
        name or "",
        level,
        found,
        dropped,
        Figures(**dict(zip(counts, outcomes, strict=True))),
    )


def _of_one_step(groups: Sequence[Group]) -> list[Group]:
    return [group for group in groups if group.key[0] is not None]


def _stamps(groups: Sequence[Group]) -> list[Group]:
    """Person and step where something was taken in under two seconds, or without a source ever opened: the largest share first."""
    stamped = [
        group
        for group in groups
        if group.key[2] is not None and (group.figures.quick or group.figures.unopened)
    ]
    return sorted(
        stamped,
        key=lambda group: (
            -(group.figures.quick_rate or 0),
            -(group.figures.unopened_rate or 0),
            -group.figures.taken,
        ),
    )


def _height(level: str | None) -> int:
    return LEVELS.index(level) + 1 if level in LEVELS else 0


def weeks_of(report: Report) -> Iterator[tuple[date, Figures]]:
    """Every Monday of the window with what was counted from it on; weeks without anything are there too."""
    held = {group.key[0]: group.figures for group in report.weeks}
    day = report.window.since.date()
    day -= timedelta(days=day.weekday())
    while day <= report.window.until.date():
        yield day, held.get(day, Figures())
        day += timedelta(days=7)
