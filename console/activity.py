"""The activity log as people read it: newest first, filtered, within what the reader may see.

Reading the log is itself an event, written after the answer was put together and never part of it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from console import access, log, records, subjects
from console.core.actor import Actor
from console.core.events import KINDS
from console.core.scopes import Scope
from console.db import tables
from console.db.engine import hot_engine
from console.errors import Malformed, NotFound
from console.log import present, recheck, select
from console.log.read import Stored, stored
from console.log.recheck import Checked
from console.log.select import LogFilter, Within

DEFAULT_LIMIT = 10
MOST = 100
ROUNDS = 6  # a reader of few records is not served by reading the whole log for one page
LONGEST_FILTER = 500
LOOKS = frozenset({"record_viewed", "record_listed", "step_shown", "source_opened"})
TEXTS = ("user", "team", "collection", "record", "run")
MOMENTS = {"createdAt.gt": "gt", "createdAt.gte": "gte", "createdAt.lt": "lt", "createdAt.lte": "lte"}
NAMES = (*TEXTS, "kind", *MOMENTS, "limit", "after")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a URL asks of the log: the filter, how many (1–100), and the cursor to continue from."""

    where: LogFilter
    limit: int = DEFAULT_LIMIT
    after: str | None = None


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """An event for one reader. `json` is EVENT of the API: what may not be read is null there, with its path in `masked`."""

    event: Stored
    json: Mapping[str, Any]

    @property
    def at(self) -> datetime:
        """When it happened, aware UTC."""
        return self.event.at

    @property
    def sentence(self) -> str:
        """The event in one line, without a full stop."""
        return str(self.json["sentence"])

    @property
    def actor_name(self) -> str:
        """Who did it."""
        return str(self.json["actor"]["name"])

    @property
    def label(self) -> str:
        """The kind in words: `Step completed`."""
        return self._kind("label", self.event.type.replace("_", " ").capitalize())

    @property
    def group(self) -> str:
        """The kind's group, a key of `GROUPS` of the registry; empty for a kind of a newer release."""
        return self._kind("group", "")

    def _kind(self, name: str, otherwise: str) -> str:
        kind = KINDS.get(self.event.type)
        return str(getattr(kind, name)) if kind else otherwise


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """Rows newest first; `next` continues below them and is None at the end. `verified_to` is how far the whole log was checked."""

    rows: Sequence[ActivityRow]
    next: str | None
    verified_to: Checked

    @property
    def has_more(self) -> bool:
        """Whether there is something below these rows."""
        return self.next is not None

    def to_json(self) -> dict[str, Any]:
        """The answer of the API."""
        return {"data": [dict(row.json) for row in self.rows], "hasMore": self.has_more, "next": self.next}


def page(actor: Actor, where: LogFilter, limit: int = DEFAULT_LIMIT, after: str | None = None) -> ActivityPage:
    """The newest events that fit, and below them those after the cursor; notes `log_read`, which no page holds that was read before.

    Raises NotAllowed without the right `activity.read`, Malformed for a cursor that this list did not give out.
    """
    access.require(actor, None, "activity", "read")
    before = select.position(after) if after is not None else None
    made = _page(actor, where, _within_log(actor), limit, before)
    log.note(actor, "log_read", open=_read(where, made.rows), sealed=_filter(where))
    return made


def entry(actor: Actor, pos: int) -> ActivityRow:
    """The one event at this place. Raises NotAllowed as `page` does, NotFound where the reader would not find it there."""
    access.require(actor, None, "activity", "read")
    found = _judged(actor, select.rows(LogFilter(), _within_log(actor), limit=1, before=pos + 1))
    if not found or found[0][0].pos != pos:
        raise NotFound
    row = _shown(actor, found)[0]
    log.note(actor, "log_read", open={"count": 1, "first": pos, "last": pos})
    return row


def on_record(actor: Actor, collection: str, key: str, *, limit: int = 20, after: str | None = None, looks: bool = False) -> ActivityPage:
    """What happened to a record, for who may read that record: changes, runs on it, effects; with `looks` also who saw it.

    Refusals and readings of the log are for auditors and left out. Raises NotFound where the record is out of the actor's scope.
    """
    before = select.position(after) if after is not None else None
    scope = access.scope_for(actor, collection)
    if scope.nothing or not (scope.unlimited or _visible(collection, {key}, scope)):
        raise NotFound(hidden=True)
    without = {kind.name for kind in KINDS.values() if kind.group not in ("run", "step", "effect", "proposal", "record")}
    within = _within(actor, teams=None, teamless=True, without=frozenset(without if looks else without | LOOKS))
    named = subjects.ref(collection, key) if records.collection(collection).personal_key else key
    return _page(actor, LogFilter(collection=collection, record=named), within, limit, before)


def refused(actor: Actor, need: tuple[str, str], *, collection: str | None = None, record: str | None = None, **circumstances: Any) -> None:
    """Note that `need` (object, act) was asked for and refused; `circumstances` may be method, endpoint, status, reason, run, path."""
    path = circumstances.pop("path", None)
    known = {name: value for name, value in circumstances.items() if value is not None}
    log.note(
        actor,
        "access_refused",
        open={"object": need[0], "act": need[1], **known},
        sealed={"path": path} if path else None,
        collection=collection,
        record=record,
    )


def asked(arguments: Iterable[tuple[str, str]]) -> Asked:
    """What these parameters of a URL ask for; `kind` may stand several times, everything else once.

    Raises Malformed with one detail for every parameter that is unknown, repeated or cannot be read.
    """
    given: dict[str, list[str]] = defaultdict(list)
    for name, value in arguments:
        given[name].append(value)
    details: list[dict[str, str]] = []

    def wrong(name: str, reason: str) -> None:
        details.append({"field": name[:100], "reason": reason})

    for name, values in given.items():
        if name not in NAMES:
            wrong(name, f"There is no such parameter here; known are {', '.join(NAMES)}.")
        elif name != "kind" and len(values) > 1:
            wrong(name, "This may be given once.")
        elif any("\x00" in value or len(value) > LONGEST_FILTER for value in values):
            wrong(name, "This is too long, or holds a NUL character.")
    for kind in given.get("kind", ()):
        if kind not in KINDS:
            wrong("kind", f"There is no kind of event “{kind[:60]}”; the reference of events names them all.")
    moments = {short: _moment(given[name][0]) for name, short in MOMENTS.items() if name in given}
    for name, short in MOMENTS.items():
        if name in given and moments[short] is None:
            wrong(name, "This must be a date (2026-11-20) or a time with its zone (2026-11-20T06:30:00Z; write + as %2B).")
    limit = given.get("limit", [str(DEFAULT_LIMIT)])[0]
    if not re.fullmatch(r"[1-9][0-9]{0,2}", limit) or int(limit) > MOST:
        wrong("limit", f"This must be a whole number from 1 to {MOST}.")
    if details:
        names = ", ".join(sorted({detail["field"] for detail in details}))
        raise Malformed(f"The log was not read: please look at {names}.", details=details)
    texts = {name: given[name][0] for name in TEXTS if name in given}
    where = LogFilter(**texts, kinds=tuple(dict.fromkeys(given.get("kind", ()))), **moments)  # type: ignore[arg-type]
    return Asked(where, int(limit), given["after"][0] if "after" in given else None)


def _moment(text: str) -> datetime | None:
    """Aware UTC; a date alone is its first moment in UTC. None when it is neither."""
    if not MOMENT.fullmatch(text):
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _page(actor: Actor, where: LogFilter, within: Within, limit: int, before: int | None) -> ActivityPage:
    kept: list[tuple[Any, bool]] = []
    following: int | None = None
    for _ in range(ROUNDS):
        found = select.rows(where, within, limit=limit + 1, before=before)
        kept += _judged(actor, found)
        before = following = found[-1].pos if len(found) > limit else None
        if following is None or len(kept) > limit:
            break
    if len(kept) > limit:
        kept = kept[:limit]
        following = kept[-1][0].pos
    return ActivityPage(_shown(actor, kept), select.cursor(following) if following is not None else None, recheck.state())


def _judged(actor: Actor, found: Sequence[Any]) -> list[tuple[Any, bool]]:
    """Rows that this reader may find, each with whether its sealed values may be opened.

    The run is judged by its workflow in its team, the record by the reader's scope of today: one question to the source per
    collection and page, none for who may read every record.
    """
    slugs = _slugs() if any(row.workflow for row in found) else {}
    keys: dict[str, set[str]] = defaultdict(set)
    for row in found:
        if row.collection is not None and row.record is not None:
            keys[row.collection].add(row.record)
    scopes = {row.collection: access.scope_for(actor, row.collection) for row in found if row.collection is not None}
    visible = {name: keys[name] if scope.unlimited else _visible(name, keys[name], scope) for name, scope in scopes.items()}
    kept = []
    for row in found:
        if row.workflow is not None and not _sees(actor, row.team, slugs.get(row.workflow, row.workflow)):
            continue
        if row.collection is not None and row.record is not None and row.record not in visible[row.collection]:
            continue
        # A list of records names those of other people's scope too.
        kept.append((row, row.collection is None or row.record is not None or scopes[row.collection].unlimited))
    return kept


def _shown(actor: Actor, kept: Sequence[tuple[Any, bool]]) -> list[ActivityRow]:
    subjects.load(row.sub for row, opens in kept if opens and row.sub)
    events = [stored(row, opened=opens) for row, opens in kept]
    names = present.names_of(events)
    known: dict[str | None, frozenset[str]] = {None: frozenset()}

    def hidden(collection: str | None) -> frozenset[str]:
        if collection not in known:
            known[collection] = access.scope_for(actor, str(collection)).hidden
        return known[collection]

    return [
        ActivityRow(event, present.as_json(event, names, hidden=hidden, whole=opens))
        for event, (_, opens) in zip(events, kept, strict=True)
    ]


def _visible(collection: str, keys: set[str], scope: Scope) -> set[str]:
    if scope.nothing or not keys:
        return set()
    return records.visible(collection, keys, scope)


def _sees(actor: Actor, team: str | None, workflow: str) -> bool:
    return access.can(actor, team, f"workflow:{workflow}", "see")


def _slugs() -> dict[str, str]:
    with hot_engine().connect() as connection:
        found = connection.execute(sa.select(tables.workflow.c.id, tables.workflow.c.slug))
        return {row.id: row.slug for row in found}


def _within_log(actor: Actor) -> Within:
    """What the right `activity.read` reaches: teams in which it is held; `*` asks about a team that no row names."""
    with hot_engine().connect() as connection:
        teams = set(connection.execute(sa.select(tables.team.c.id)).scalars())
    held = frozenset(team for team in teams if access.can(actor, team, "activity", "read"))
    everywhere = access.can(actor, "*", "activity", "read")
    return _within(actor, teams=None if everywhere and held == teams else held, teamless=everywhere)


def _within(actor: Actor, *, teams: frozenset[str] | None, teamless: bool, without: frozenset[str] = frozenset()) -> Within:
    with hot_engine().connect() as connection:
        collections = connection.execute(sa.select(tables.collection.c.id)).scalars().all()
    readable = frozenset(name for name in collections if not access.scope_for(actor, name).nothing)
    return Within(teams, teamless, collections=None if len(readable) == len(collections) else readable, without=without)


def _read(where: LogFilter, rows: Sequence[ActivityRow]) -> dict[str, Any]:
    used = sorted(name for name in LogFilter.__slots__ if getattr(where, name) not in (None, ()))
    places = {"first": rows[0].event.pos, "last": rows[-1].event.pos} if rows else {}
    return {"count": len(rows), "filters": used, **places}


def _filter(where: LogFilter) -> dict[str, Any] | None:
    """The values looked for; a record's key or a person may be told by them, so they are sealed."""
    used = {name: getattr(where, name) for name in LogFilter.__slots__ if getattr(where, name) not in (None, ())}
    return {"filter": used} if used else None
