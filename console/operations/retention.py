"""How long values are kept: what is past its time goes, by category, and the log says so; events and every proof of them stay. Files go with their run.

Values of live runs and of people under a hold stay. Rows made of the values are made again from the log, as after an erasure.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

import sqlalchemy as sa

from console import log
from console.ai import cases
from console.ai.proposals import cache, options, prompts
from console.auth import access
from console.authoring import builder, publication
from console.browse import tags
from console.core.actor import Actor
from console.infra import files, settings
from console.infra.db.engine import alone, fetch, transaction
from console.operations import erasure

RETENTION = Actor("system", "sys_retention", "Retention", session="sys:retention")
AT_ONCE = 5000

CATEGORIES: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "runs": ("everything in runs, counted from the end of the run", ()),
        "screens": (
            "what was on the screen in runs, counted from the end of the run",
            ("step_shown", "source_opened", "checks_shown"),
        ),
        "looks": (
            "what people looked at, searched for and were refused",
            (
                "record_viewed",
                "record_listed",
                "figures_viewed",
                "records_exported",
                "access_refused",
                "log_read",
                "log_exported",
            ),
        ),
        "changes": ("records changed by hand, outside runs", ("record_changed",)),
        "sign_ins": ("signing in: addresses and programs", ("signed_in", "sign_in_failed")),
    }
)
"""Category → what it is, and the kinds of its events (none: every kind). What is in no category is kept for ever: people, rights, holds, erasures."""

_DUE = """
from {rows} a join console.event_value v on v.event = a.event {run}
where v.event > %(after)s and v.sub <> 'expired' and (%(kinds)s::text[] is null or a.kind = any(%(kinds)s)) and {old}
"""
_COUNT = """
select count(distinct v.event), count(distinct v.event) filter (where exists (select from console.hold h where h.subject = v.sub))
"""
_LIST, _ARCHIVED = "console.activity", "console.archived_rows(1, (select max(pos) from console.activity))"
_OF_RUNS = {"run": f"join {access.EVERY_RUN.sql()} on r.id = a.run", "old": "r.ended_at < %(before)s"}
_OTHERS = {"run": "", "old": "a.at < %(before)s"}
_FREE = "and not exists (select from console.hold h where h.subject = v.sub)"


@dataclass(frozen=True, slots=True)
class Due:
    """Values of one category past their limit: `events` events lose them or lost them; `held` more are under a hold."""

    category: str
    days: int
    events: int
    held: int


def due_deletions(now: datetime | None = None) -> list[Due]:
    """The data past its retention time, by category; only categories with a limit. Changes nothing."""
    due = []
    for category, days in _limits().items():
        parameters = _query_parameters(category, days, now or log.now())
        counts = [fetch(_COUNT + _due(category, rows), parameters)[0] for rows in _sources()]
        total, held = map(sum, zip(*counts, strict=True))
        due.append(Due(category, days, total - held, held))
    return due


def expire(now: datetime | None = None, progress: Callable[[str], None] = lambda _: None) -> list[Due]:
    """Take away what is past its time, some thousand events at a time, each with its note in the log; what was done, by category.

    One process at a time: the others do nothing. Killed in the middle, what is committed is noted, and the rest comes the next time.
    """
    with alone("console.retention") as ours:
        if not ours:
            return []
        erasure.rebuild_stale()
        done = []
        for due in due_deletions(now):
            gone = _expire(due, now or log.now(), progress) if due.events else 0
            if due.category == "runs":
                files.expire((now or log.now()) - timedelta(days=due.days))
            done.append(Due(due.category, due.days, gone, due.held))
        erasure.rebuild_stale()
        files.sweep()
        files.texts.sweep()
        _expire_prompts(now or log.now())
        publication.run_moves.expire(now or log.now())
    return done


def _expire_prompts(now: datetime) -> None:
    """Delete prompts and answers of models, and what was asked of the builder of workflows or about cases; cost and result stay."""
    before = now - timedelta(days=options.current().document.retention_days)
    prompts.expire(before)
    builder.expire(before)
    cases.expire(before)
    cache.expire()


def _limits() -> dict[str, int]:
    """Category → days, of those that have a limit."""
    given = settings.current().keep_days
    return {category: days for category in CATEGORIES if (days := given[category]) is not None}


def _sources() -> list[str]:
    """The list of events, and what it would say of archived ones."""
    return [_LIST, _ARCHIVED] if fetch("select from console.archived_place limit 1") else [_LIST]


def _due(category: str, rows: str) -> str:
    return _DUE.format(rows=rows, **(_OF_RUNS if category in {"runs", "screens"} else _OTHERS))


def _query_parameters(category: str, days: int, now: datetime, after: int = 0) -> dict[str, object]:
    return {
        "kinds": list(CATEGORIES[category][1]) or None,
        "before": now - timedelta(days=days),
        "after": after,
        "most": AT_ONCE,
    }


def _expire(due: Due, now: datetime, progress: Callable[[str], None]) -> int:
    """The values of how many events went."""
    gone = 0
    for source in _sources():
        after = 0
        page = f"select v.event, a.pos, a.run {_due(due.category, source)} {_FREE} order by v.event limit %(most)s"
        while rows := fetch(page, _query_parameters(due.category, due.days, now, after)):
            after = rows[-1][0]
            gone += _page(due.category, rows)
            progress(f"{due.category}: values of {gone:,} of {due.events:,} events")
    return gone


def _page(category: str, rows: Sequence[tuple[int, int, str]]) -> int:
    """Values, marks and the note, in one transaction: what is missing is accounted for, to the event."""
    places = {event: (pos, run) for event, pos, run in rows}
    with transaction() as connection:
        answer = connection.execute(sa.text("select console.expire(:events)"), {"events": list(places)})
        gone = [places[row[0]] for row in answer]
        if gone:
            runs = sorted({run for _, run in gone if run.startswith("run_")})
            erasure.mark_stale(connection, runs)
            if category == "runs":
                tags.forget_of_runs(connection, runs)
            noted = {"count": len(gone), "category": category, "last": max(pos for pos, _ in gone)}
            log.note(RETENTION, "values_expired", open=noted, connection=connection)
    return len(gone)
