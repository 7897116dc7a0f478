"""Lists of runs, filtered in SQL by team and workflow. For an actor with a row scope, the records of a page are checked in their source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from console import browse, log, records, workflows
from console.auth import access, accounts
from console.core.actor import Actor
from console.core.errors import ConsoleError
from console.core.list_addresses import cursor_of, from_seconds
from console.infra.db import tables
from console.infra.db.engine import fetch as fetch_rows, read_rows
from console.runs.views.items_of_loops import LoopItem, items_of
from console.runs.views.run_filters import conditions
from console.runs.views.view import GONE, title_of, trigger_json

OF_ANOTHER_RELEASE = "A step of another release"
COLUMNS = [
    "id",
    "workflow",
    "version",
    "status",
    "revision",
    "run_seq",
    "collection",
    "record",
    "team",
    "started_by",
    "holder",
    "created_at",
    "ended_at",
    "reason",
    "ending",
    "current",
    "active_at",
    "ticket",
    "trigger",
    "origin",
    "mode",
    "test",
    "branch",
    "linked_to",
]
_LIVE = f"""
select {", ".join(f"r.{name}" for name in COLUMNS)}, (select a.step from console.attempt a where a.run = r.id and a.n = r.current)
from console.run r where r.collection = %s and r.record = any(%s) and r.ended_at is null and (r.label is null or r.label = any(%s)) order by r.id
"""  # noqa: S608 (names of this file)


@dataclass(frozen=True, slots=True)
class Waits:
    """What a run waits for (`kind`: time, event, message, approval …), at which step, and until when, as far as that is known."""

    kind: str
    until: datetime | None
    workflow: str
    version: int
    step: str | None


@dataclass(frozen=True, slots=True)
class RunHead:
    """A run in a list. Times are aware UTC. `step` is the current one, None after the end; `ticket` is the inbox in which it waits."""

    id: str
    workflow_id: str
    slug: str
    workflow_title: str
    version: int
    status: str
    collection: str | None
    record: str | None
    record_title: str
    team: str
    started_by: str
    starter_name: str
    holder: str | None
    holder_name: str
    step: str | None
    step_title: str | None
    created_at: datetime
    ended_at: datetime | None
    active_at: datetime
    revision: int
    last_event: int
    reason: str | None
    ending: str | None
    ticket: Mapping[str, Any] | None = None
    trigger: str = "record"
    origin: Mapping[str, Any] | None = None
    mode: str = "guided"
    test: bool = False
    item: LoopItem | None = None

    @property
    def about(self) -> str:
        """What the run is about, as a title: the item of a loop, else the record; empty for neither."""
        return self.item.title if self.item is not None else self.record_title

    @property
    def live(self) -> bool:
        """Whether it has not ended."""
        return self.ended_at is None

    def to_json(self) -> dict[str, Any]:
        """The run in a list of the API: the first fields of "A run"."""
        return {
            "id": self.id,
            "workflow": {"id": self.workflow_id, "slug": self.slug, "title": self.workflow_title},
            "trigger": trigger_json(self.trigger, self.origin),
            "mode": self.mode,
            "test": self.test,
            **{
                name: getattr(self, name)
                for name in [
                    "version",
                    "status",
                    "revision",
                    "last_event",
                    "collection",
                    "record",
                    "team",
                    "started_by",
                    "holder",
                    "reason",
                    "ending",
                ]
            },
            "created_at": log.body.moment(self.created_at),
            "ended_at": log.body.moment(self.ended_at) if self.ended_at else None,
        }


def find(
    actor: Actor, filters: Mapping[str, str] | None = None, *, limit: int = 50, after: str | None = None
) -> tuple[list[RunHead], str | None]:
    """Runs that the actor may see, newest first, and the cursor of the next page. Raises Malformed for an unknown filter or value."""
    run = tables.run.c
    wanted = [*conditions(filters or {}), _allowed(actor)]
    if after is not None:
        wanted.append(
            sa.tuple_(run.created_at, run.id)
            < sa.tuple_(*map(sa.literal, cursor_of(after, "run_", from_seconds)))
        )
    heads: list[RunHead] = []
    last: Any = None
    away: set[str] = set()
    while len(heads) <= limit:
        narrowed = (
            wanted
            if last is None
            else [
                *wanted,
                sa.tuple_(run.created_at, run.id)
                < sa.tuple_(sa.literal(last.created_at), sa.literal(last.id)),
            ]
        )
        rows = read_rows(
            sa.select(*(run[name] for name in COLUMNS), _step())
            .where(*narrowed)
            .order_by(run.created_at.desc(), run.id.desc())
            .limit(limit + 1)
        )
        heads += _heads(actor, rows, away=away)
        if len(rows) <= limit:
            break
        last = rows[-1]
    page = heads[:limit]
    return page, f"{page[-1].created_at.timestamp():.6f}~{page[-1].id}" if len(heads) > limit else None


def on_record(actor: Actor, collection: str, key: str, *, limit: int = 50) -> list[RunHead]:
    """Runs on the record that the actor may see, newest first. The caller has checked the record itself."""
    run = tables.run.c
    its_own = (run.collection == collection, run.record == key)
    return visible_runs(actor, *its_own, order=(run.created_at.desc(), run.id.desc()), limit=limit)[0]


def on_records(actor: Actor, pairs: Sequence[tuple[str, str]], *, limit: int = 20) -> list[RunHead]:
    """Runs on these records (collection, key) that the actor may see: live ones first, then the newest. The caller has checked the records."""
    if not pairs:
        return []
    run = tables.run.c
    order = (run.ended_at.is_not(None), run.created_at.desc(), run.id.desc())
    theirs = sa.tuple_(run.collection, run.record).in_(list(pairs))
    return visible_runs(actor, theirs, order=order, limit=limit)[0]


def live_workflows(actor: Actor, pairs: Sequence[tuple[str, str]]) -> set[tuple[str, str, str]]:
    """(collection, key, workflow id) of the live runs on these records that the actor may see; one statement."""
    run = tables.run.c
    live = sa.select(run.collection, run.record, run.workflow).where(
        sa.tuple_(run.collection, run.record).in_(list(pairs)), run.ended_at.is_(None), _allowed(actor)
    )
    return {(row.collection, row.record, row.workflow) for row in read_rows(live)}


def live_on(actor: Actor, collection: str, keys: Sequence[str]) -> dict[str, list[RunHead]]:
    """Live runs on these records that the actor may see, by key: one statement for a whole page of a list."""
    pairs = visible_pairs(actor)
    if not keys or not pairs:
        return {}
    rows = fetch_rows(_LIVE, (collection, list(keys), access.runs(actor).cleared))
    found = [SimpleNamespace(**dict(zip([*COLUMNS, "step"], row, strict=True))) for row in rows]
    by: dict[str, list[RunHead]] = {}
    for head in _heads(actor, [row for row in found if (row.team, row.workflow) in pairs], titles=False):
        by.setdefault(head.record or "", []).append(head)
    return by


def held_by(actor: Actor, *, limit: int = 50) -> list[RunHead]:
    """Live runs that the actor holds: those that wait for a person first, and of these the longest begun, which are due first."""
    run = tables.run.c
    held = (run.holder == actor.id, run.ended_at.is_(None))
    order = (run.status != "waiting_person", run.created_at, run.id)
    return visible_runs(actor, *held, order=order, limit=limit)[0]


def to_continue(actor: Actor, *, limit: int = 50) -> list[RunHead]:
    """Saved runs that the actor may resume, the longest saved first."""
    run = tables.run.c
    saved = run.status == "saved"
    return visible_runs(actor, saved, order=(run.put_down_at,), limit=limit, act="resume")[0]


def visible_runs(
    actor: Actor,
    *wanted: sa.ColumnElement[bool],
    order: Sequence[sa.ColumnElement[Any]],
    limit: int,
    act: str = "see",
) -> tuple[list[RunHead], Any]:
    """At most `limit` runs that meet the conditions and that the actor may `act` on, without those whose record they may not see; and the last
    row that was read (None: no more rows).
    """
    found = sa.select(*(tables.run.c[name] for name in COLUMNS), _step()).where(*wanted, _allowed(actor, act))
    rows = read_rows(found.order_by(*order).limit(limit + 1))
    return _heads(actor, rows[:limit]), rows[limit - 1] if len(rows) > limit else None


def head(actor: Actor, run_id: str) -> RunHead | None:
    """The run as in a list; None if there is none that the actor may see."""
    found, _ = (
        visible_runs(actor, tables.run.c.id == run_id, order=(tables.run.c.id,), limit=1)
        if "\x00" not in run_id
        else ([], None)
    )
    return found[0] if found else None


def with_ids(actor: Actor, run_ids: Sequence[str]) -> list[RunHead]:
    """Those of these runs that the actor may see."""
    return (
        visible_runs(actor, tables.run.c.id.in_(run_ids), order=(tables.run.c.id,), limit=len(run_ids))[0]
        if run_ids
        else []
    )


def waits(run_ids: Sequence[str]) -> dict[str, Waits]:
    """What each of these runs waits for, which may be a `person`; for callers who have judged that the runs may be seen."""
    rows = fetch_rows(_WAITS, (list(run_ids),)) if run_ids else []
    return {
        run: Waits(
            waiting["for"],
            datetime.fromisoformat(waiting["until"]) if waiting.get("until") else None,
            workflow,
            version,
            step,
        )
        for run, workflow, version, step, waiting in rows
    }


_WAITS = """
select r.id, r.workflow, r.version, a.step, case when r.status in ('saved', 'waiting_person') then '{"for": "person"}' else r.waiting end
from console.run r /* every run */ left join console.attempt a on a.run = r.id and a.n = r.current
where r.id = any(%s) and r.ended_at is null and (r.status in ('saved', 'waiting_person') or r.status in ('waiting_time', 'waiting_event') and r.waiting is not null)
"""


def _step() -> sa.Label[Any]:
    attempt = tables.attempt.c
    return (
        sa.select(attempt.step)
        .where(attempt.run == tables.run.c.id, attempt.n == tables.run.c.current)
        .scalar_subquery()
        .label("step")
    )


def _allowed(actor: Actor, act: str = "see") -> sa.ColumnElement[bool]:
    """The condition that the actor has the right in the run's team and workflow, and is cleared for its label."""
    pairs, run = sorted(visible_pairs(actor, act)), tables.run.c
    return (
        sa.and_(sa.tuple_(run.team, run.workflow).in_(pairs), access.cleared_for(actor, run.label))
        if pairs
        else sa.false()
    )


def visible_pairs(actor: Actor, act: str = "see") -> frozenset[tuple[str, str]]:
    """Pairs of team and workflow in which the actor has the right."""
    return frozenset(
        (team, known.id)
        for known in workflows.all_known()
        for team in {known.team, *actor.teams}
        if access.can(actor, team, f"workflow:{known.slug}", act)
    )


def _heads(
    actor: Actor, rows: Sequence[Any], *, titles: bool = True, away: set[str] | None = None
) -> list[RunHead]:
    away = set() if away is None else away
    named = record_titles(actor, rows, away)
    items = items_of(rows, lambda wanted: record_titles(actor, wanted, away)) if titles else {}
    people = (
        accounts.names({row.started_by for row in rows} | {row.holder for row in rows if row.holder})
        if titles and rows
        else {}
    )
    heads = []
    for row in rows:
        title = named.get((row.collection, row.record)) if row.collection else ""
        if title is None and row.collection in away and row.holder == actor.id:
            title = row.record  # runs that the actor holds stay visible while the source is down
        if title is None:
            continue  # out of the actor's scope, or deleted: then only actors without a scope see the run
        definition = workflows.readable_version(row.workflow, row.version)
        slug, called = (
            (definition.slug, definition.title) if definition is not None else known_as(row.workflow)
        )
        columns = {
            name: getattr(row, name)
            for name in [
                "id",
                "version",
                "status",
                "collection",
                "record",
                "team",
                "started_by",
                "holder",
                "created_at",
                "ended_at",
                "active_at",
                "revision",
                "reason",
                "ending",
                "step",
                "ticket",
                "trigger",
                "origin",
                "mode",
                "test",
            ]
        }
        heads.append(
            RunHead(
                **columns,
                workflow_id=row.workflow,
                slug=slug,
                workflow_title=called,
                record_title=title,
                starter_name=people.get(row.started_by, ""),
                holder_name=people.get(row.holder or "", ""),
                step_title=None
                if not row.step
                else title_of(definition, row.step)
                if definition is not None
                else OF_ANOTHER_RELEASE,
                last_event=row.run_seq,
                item=items.get(row.id),
            )
        )
    return heads


def known_as(workflow_id: str) -> tuple[str, str]:
    """(slug, title) of a workflow as it is called now, for runs whose version cannot be read here."""
    known = workflows.find_known(workflow_id)
    return (known.slug, known.title) if known is not None else (workflow_id, "A workflow")


def record_titles(actor: Actor, rows: Sequence[Any], away: set[str]) -> dict[tuple[str, str], str]:
    """Titles of the records that the actor may see, one query per collection. Actors without a scope are told that a record is gone, or its key where that cannot be looked up.

    `away` are collections whose source is down; new ones are added, so that none is asked for every page.
    """
    keys: dict[str, set[str]] = {}
    for row in rows:
        if row.collection:
            keys.setdefault(row.collection, set()).add(row.record)
    found: dict[tuple[str, str], str] = {}
    for collection, wanted in keys.items():
        scope = access.scope_for(actor, collection, "read")
        try:
            named = browse.titles(actor, collection, sorted(wanted), scope) if collection not in away else {}
        except ConsoleError:
            away.add(
                collection
            )  # the source is down: what cannot be checked is hidden from actors with a scope
            named = {}
        if scope.unlimited:
            found |= {
                (collection, key): records.key_words(key) if collection in away else GONE for key in wanted
            }
        found |= {(collection, key): title for key, title in named.items()}
    return found
