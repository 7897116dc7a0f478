"""The activity log as people read it: newest first, filtered, within what the reader may see.

Reading the log is itself an event, written after the answer was put together and never part of it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from console import browse, log, records
from console.activity import record_titles
from console.activity.filters import LABELS, MOMENTS, TEXTS
from console.auth import access, accounts
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import Malformed, NotFound
from console.core.events import KINDS
from console.core.plain_words import humanised
from console.core.scopes import Scope, unrestricted
from console.formats.sentences import Sentence
from console.infra import subjects
from console.infra.db import tables
from console.infra.db.engine import fetch, hot_engine
from console.log import event_lists, event_view, masking, recheck
from console.log.event_lists import LogFilter, Within
from console.log.read import Stored, stored
from console.records import catalogue, former_fields

if TYPE_CHECKING:
    from console.runs.store.loaded_rows import Judge

DEFAULT_LIMIT = 10
MOST = 100
MOST_COUNTED = 1_000
ROUNDS = 6  # a reader of few records is not served by reading the whole log for one page
LONGEST_FILTER = 500
LOOKS = frozenset(
    {"record_viewed", "record_listed", "figures_viewed", "step_shown", "source_opened", "checks_shown"}
)
WITHIN_STEPS = frozenset(
    {
        "step_entered",
        "event_awaited",
        "event_arrived",
        "message_asked",
        "timer_set",
        "timer_fired",
        "effect_requested",
        "effect_reported",
        "effect_checked",
        "proposal_requested",
        "attempt_cancelled",
    }
)
"""Events that only lead to another, which says what came of them."""
MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class LogQuery:
    """The parameters of a URL, parsed: the filter, how many rows (1–100), and the cursor to continue from."""

    where: LogFilter
    limit: int = DEFAULT_LIMIT
    after: str | None = None


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """An event for one reader. `json` is EVENT of the API: values that the reader may not see are null, with their path in `masked`. `collection` is that of its record as it was called then."""

    event: Stored
    json: Mapping[str, Any]
    record_title: str | None = None
    collection: Collection | None = None

    @property
    def at(self) -> datetime:
        """When it happened, aware UTC."""
        return self.event.at

    @property
    def sentence(self) -> Sentence:
        """The event in one line by the names of its time, without a full stop; and which of them are others today."""
        said: Sentence = self.json["sentence"]
        return said

    @property
    def actor_name(self) -> str:
        """Who did it."""
        return str(self.json["actor"]["name"])

    @property
    def label(self) -> str:
        """The kind in words: `Step completed`."""
        return self._kind("label", humanised(self.event.type))

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
    verified_to: recheck.Checked

    @property
    def has_more(self) -> bool:
        """Whether there is something below these rows."""
        return self.next is not None

    def to_json(self) -> dict[str, Any]:
        """The answer of the API."""
        return {"data": [dict(row.json) for row in self.rows], "hasMore": self.has_more, "next": self.next}


class Reader:
    """Which events one person finds in the log and which values they see, by their present rights. Made for one page or one export.

    `within` filters in the database, `find` checks each event after that, `hidden` gives the masked fields.
    """

    def __init__(self, actor: Actor, within: Within, *, trusted: bool = False) -> None:
        self.actor, self.within, self.trusted = actor, within, trusted
        self._scopes: dict[str, Scope] = {}
        self._fields: dict[str | None, frozenset[str]] = {None: frozenset()}

    def find(self, rows: Sequence[Any]) -> list[tuple[Any, bool]]:
        """Those of the rows that this reader may find, each with whether its sealed values may be opened.

        The run is judged by its workflow in its team, the record by the reader's scope: one question to the source per
        collection and page, none for who may read every record.
        """
        if self.trusted:
            return [(row, True) for row in rows]
        slugs = _slugs() if any(row.workflow for row in rows) else {}
        keys: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            if row.collection is not None and row.record is not None:
                keys[row.collection].add(row.record)
        visible = {
            name: found if self._scope(name).unlimited else _visible(name, found, self._scope(name))
            for name, found in keys.items()
        }
        kept = []
        for row in rows:
            if row.workflow is not None and not _sees(
                self.actor, row.team, slugs.get(row.workflow, row.workflow)
            ):
                continue
            if (
                row.collection is not None
                and row.record is not None
                and row.record not in visible[row.collection]
            ):
                continue
            kept.append((row, self.opens(row)))
        self._judge.expect(row.run for row, opens in kept if opens and row.run is not None)
        return kept

    def opens(self, row: Any) -> bool:
        """Whether they may read the sealed values of an event that they find: an event about a list can name records outside their scope."""
        return (
            self.trusted
            or row.collection is None
            or row.record is not None
            or self._scope(row.collection).unlimited
        )

    def hidden(self, collection: str | None) -> frozenset[str]:
        """Fields of the collection that are kept from them."""
        if collection not in self._fields:
            self._fields[collection] = frozenset() if self.trusted else hidden_of(self.actor, str(collection))
        return self._fields[collection]

    @cached_property
    def values(self) -> masking.Within:
        """Which values of runs they may not see."""
        from console.runs.views.reader_reach import within_reach  # with all of runs behind it

        return within_reach(self.hidden, self._judge)

    @cached_property
    def _judge(self) -> "Judge":
        from console.runs.store.loaded_rows import Judge

        return Judge(self.actor.id, lambda name: unrestricted(name) if self.trusted else self._scope(name))

    @property
    def finds_all(self) -> bool:
        """Whether they find every event that is `within`, so that the events need no check one by one."""
        if self.trusted:
            return True
        workflows = {*_slugs().values(), "?"}  # those that are there, and one that is not any more
        seen = all(
            _sees(self.actor, team, workflow) for team in (None, "*", *_teams()) for workflow in workflows
        )
        return seen and all(self._scope(name).unlimited for name in self._readable())

    @property
    def masks(self) -> bool:
        """Whether any value is masked in the events that they find."""
        limited = (name for name in self._readable() if not self._scope(name).unlimited)
        return not self.trusted and (any(limited) or any(map(self.hidden, _collections())))

    def reach(self) -> tuple[Within, Mapping[str, Scope], frozenset[tuple[str | None, str]]]:
        """All rights that decide what they find and read. Two readers with the same reach see the same."""
        if self.trusted:
            return self.within, {}, frozenset()
        workflows = sorted({*_slugs().values(), "?"})
        seen = frozenset(
            (team, workflow)
            for team in (None, "*", *_teams())
            for workflow in workflows
            if _sees(self.actor, team, workflow)
        )
        return (
            self.within,
            {name: access.scope_for(self.actor, name) for name in sorted(_collections())},
            seen,
        )

    def _readable(self) -> frozenset[str]:
        return _collections() if self.within.collections is None else self.within.collections

    def _scope(self, collection: str) -> Scope:
        if collection not in self._scopes:
            self._scopes[collection] = access.scope_for(self.actor, collection)
        return self._scopes[collection]


def hidden_of(actor: Actor, collection: str) -> frozenset[str]:
    """The fields of the collection that the actor does not see in past events: hidden and masked ones."""
    collection_found = catalogue.find(collection)
    sensitive = former_fields.sensitive_in_past(collection_found) if collection_found is not None else None
    scope = access.scope_for(actor, collection, sensitive=sensitive)
    return scope.hidden | (
        frozenset(each.name for each in collection_found.fields)
        if scope.nothing and collection_found is not None
        else frozenset()
    )


def reader_of_log(actor: Actor, *acts: str) -> Reader:
    """The reader of the whole log for this person, who needs all of these rights `activity.…`. Raises NotAllowed.

    The command line may read everything.
    """
    if actor.kind == "system":
        return Reader(actor, event_lists.EVERYTHING, trusted=True)
    for act in acts:
        access.require(actor, None, "activity", act)
    return Reader(actor, _within_log(actor, acts))


def reader_of_run(actor: Actor, run_id: str) -> Reader:
    """The reader of one run's events: who may see the run needs no right to the activity log. Raises NotFound."""
    from console.runs.commands.run_rights import see  # with all of runs behind it

    see(actor, run_id)
    return Reader(actor, _within(actor, teams=None, teamless=True))


def page(
    actor: Actor, where: LogFilter, limit: int = DEFAULT_LIMIT, after: str | None = None
) -> ActivityPage:
    """The newest events that fit the filter, or those below the cursor. Records `log_read` after the page is put together.

    Raises NotAllowed without the right `activity.read`, Malformed for a cursor that this list did not give out.
    """
    reader = reader_of_log(actor, "read")
    before = event_lists.position(after) if after is not None else None
    answer = _page(reader, where, limit, before, replica_will_do=True)
    log.note(
        actor, "log_read", open=_read(where, answer.rows), sealed=filter_of(where), label=_label(answer.rows)
    )
    return answer


def count_since(actor: Actor, kinds: Sequence[str], since: datetime) -> tuple[Mapping[str, int], bool]:
    """Kind → number of its events since then that the actor finds, and whether there are more than were counted.

    Raises NotAllowed without the right `activity.read`.
    """
    reader = reader_of_log(actor, "read")
    where = LogFilter(kinds=tuple(kinds), gte=since)
    rows = event_lists.places(where, reader.within, limit=MOST_COUNTED + 1)
    return Counter(row.kind for row, _ in reader.find(rows[:MOST_COUNTED])), len(rows) > MOST_COUNTED


def on_record(
    actor: Actor,
    collection: str,
    key: str,
    *,
    limit: int = 20,
    after: str | None = None,
    kinds: Sequence[str] = (),
    everything: bool = False,
) -> ActivityPage:
    """What happened to a record, for who may read that record: changes, notes, runs on it, approvals, effects.

    `kinds`: these kinds of events alone; `everything`: also who saw it, and each event within a step; else neither.

    Refusals and reading of the log are left out; they are for auditors. Raises NotFound if the record is outside the actor's scope.
    """
    before = event_lists.position(after) if after is not None else None
    scope = access.scope_for(actor, collection)
    if scope.nothing or not (scope.unlimited or _visible(collection, {key}, scope)):
        raise NotFound(hidden=True)
    without = {
        kind.name
        for kind in KINDS.values()
        if kind.group not in ("run", "step", "effect", "approval", "proposal", "record")
    }
    within = _within(
        actor,
        teams=None,
        teamless=True,
        without=frozenset(without if kinds or everything else without | LOOKS | WITHIN_STEPS),
    )
    named = records.log_reference(records.collection(collection), key)
    where = LogFilter(collection=collection, record=named, kinds=tuple(kinds))
    return _page(Reader(actor, within), where, limit, before, own=(collection, named))


def parse_query(arguments: Iterable[tuple[str, str]]) -> LogQuery:
    """Parse the parameters of a URL; `kind` may be given several times, everything else once.

    Raises Malformed with one detail for every parameter that is unknown, repeated or cannot be read.
    """
    parameters = QueryParameters(arguments, (*LABELS, "limit", "after"))
    limit = parameters.value_of("limit", str(DEFAULT_LIMIT))
    if not re.fullmatch(r"[1-9][0-9]{0,2}", limit) or int(limit) > MOST:
        parameters.wrong("limit", f"This must be a whole number from 1 to {MOST}.")
    where = parameters.filter()
    parameters.check("The log was not read")
    return LogQuery(where, int(limit), parameters.given["after"][0] if "after" in parameters.given else None)


class QueryParameters:
    """The parameters of a URL by name (`given`), and their errors, which `check` raises."""

    def __init__(self, arguments: Iterable[tuple[str, str]], names: Sequence[str]) -> None:
        self.given: dict[str, list[str]] = defaultdict(list)
        self.details: list[dict[str, str]] = []
        for name, value in arguments:
            self.given[name].append(value)
        for name, values in self.given.items():
            if name not in names:
                self.wrong(name, f"There is no such parameter here; known are {', '.join(names)}.")
            elif name != "kind" and len(values) > 1:
                self.wrong(name, "This may be given once.")
            elif any("\x00" in value or len(value) > LONGEST_FILTER for value in values):
                self.wrong(name, "This is too long, or holds a NUL character.")

    def wrong(self, name: str, reason: str) -> None:
        """Add an error about a parameter."""
        self.details.append({"field": name[:100], "reason": reason})

    def value_of(self, name: str, otherwise: str) -> str:
        """The value of a parameter that may be given once."""
        return self.given[name][0] if name in self.given else otherwise

    def filter(self) -> LogFilter:
        """The filter in these parameters: a person by id or address, a workflow by id or slug."""
        given = self.given
        for kind in given.get("kind", ()):
            if kind not in KINDS:
                self.wrong(
                    "kind",
                    f"There is no kind of event “{kind[:60]}”; the reference of events names them all.",
                )
        moments = {short: _moment(given[name][0]) for name, short in MOMENTS.items() if name in given}
        for name, short in MOMENTS.items():
            if name in given and moments[short] is None:
                self.wrong(
                    name,
                    "This must be a date (2026-11-20) or a time with its zone (2026-11-20T06:30:00Z; write + as %2B).",
                )
        texts = {name: given[name][0] for name in TEXTS if name in given}
        if "@" in texts.get("user", ""):
            with suppress(NotFound):
                texts["user"] = accounts.person_of_email(texts["user"]).id
        if "workflow" in texts:
            texts["workflow"] = {slug: ident for ident, slug in _slugs().items()}.get(
                texts["workflow"], texts["workflow"]
            )
        return LogFilter(**texts, kinds=tuple(dict.fromkeys(given.get("kind", ()))), **moments)  # type: ignore[arg-type]

    def check(self, outcome: str) -> None:
        """Raises Malformed if there are errors; `outcome` says what was not done."""
        if self.details:
            names = ", ".join(sorted({detail["field"] for detail in self.details}))
            raise Malformed(f"{outcome}: please look at {names}.", details=self.details)


def _moment(text: str) -> datetime | None:
    """The moment in aware UTC; of a date its first moment. None if the text is neither."""
    if not MOMENT.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _page(
    reader: Reader,
    where: LogFilter,
    limit: int,
    before: int | None,
    *,
    own: tuple[str, str] | None = None,
    replica_will_do: bool = False,
) -> ActivityPage:
    kept: list[tuple[Any, bool]] = []
    following: int | None = None
    for _ in range(ROUNDS):
        page_rows = event_lists.rows(
            where, reader.within, limit=limit + 1, before=before, replica_will_do=replica_will_do
        )
        kept += reader.find(page_rows)
        before = following = page_rows[-1].pos if len(page_rows) > limit else None
        if following is None or len(kept) > limit:
            break
    if len(kept) > limit:
        kept = kept[:limit]
        following = kept[-1][0].pos
    rows = mask_rows(reader, kept, own)
    return ActivityPage(
        rows, event_lists.cursor(following) if following is not None else None, recheck.state()
    )


def mask_rows(
    reader: Reader, kept: Sequence[tuple[Any, bool]], own: tuple[str, str] | None = None
) -> list[ActivityRow]:
    """The rows that `find` has kept, with only the values and titles that this reader may see. `own`: the record on whose page they are shown."""
    subjects.load(row.sub for row, opens in kept if opens and row.sub)
    events = [stored(row, opened=opens) for row, opens in kept]
    titles = record_titles.titles(reader.actor, (row for row, opens in kept if opens))
    runs = {
        str(run)
        for event, (row, opens) in zip(events, kept, strict=True)
        for run in (row.run, event.open.get("run"))
        if opens and str(run).startswith(event_view.RUN)
    }
    begun = browse.naming.titles_kept(log.beginnings(runs))
    hidden = reader.values
    names = event_view.names_of(
        events,
        titles,
        described=catalogue.described,
        begun=begun,
        hidden=hidden,
        beside=_led_to(events),
        apart=True,
        own=own,
    )
    return [
        ActivityRow(
            event,
            event_view.as_json(event, names, hidden=hidden, whole=opens, addresses=True),
            names.title(event) or titles.get((row.collection, row.record)),
            names.collections(event).get(row.collection),
        )
        for event, (row, opens) in zip(events, kept, strict=True)
    ]


def _led_to(events: Iterable[log.Stored]) -> set[str]:
    """The collections to which the relations lead that were looked at."""
    looked_at = {
        (str((event.body.get("target") or {}).get("coll")), event.open.get("relation")) for event in events
    }
    known = {(name, relation): catalogue.find(name) for name, relation in looked_at if relation}
    return {
        link.collection
        for (_, relation), collection in known.items()
        if collection is not None
        for link in collection.relations
        if link.name in str(relation).split(", ")
    }


def _visible(collection: str, keys: set[str], scope: Scope) -> set[str]:
    return set() if scope.nothing or not keys else records.visible_keys(collection, keys, scope)


def _sees(actor: Actor, team: str | None, workflow: str) -> bool:
    return access.can(actor, team, f"workflow:{workflow}", "see")


def _slugs() -> dict[str, str]:
    with hot_engine().connect() as connection:
        rows = connection.execute(sa.select(tables.workflow.c.id, tables.workflow.c.slug))
        return {row.id: row.slug for row in rows}


def _within_log(actor: Actor, acts: Iterable[str]) -> Within:
    """The part of the log that the rights `activity.…` give: teams in which the actor holds all of them; `*` stands for teams that are gone."""
    teams = _teams()

    def held(team: str) -> bool:
        return all(access.can(actor, team, "activity", act) for act in acts)

    allowed, everywhere = frozenset(filter(held, teams)), held("*")
    return _within(actor, teams=None if everywhere and allowed == teams else allowed, teamless=everywhere)


def _within(
    actor: Actor, *, teams: frozenset[str] | None, teamless: bool, without: frozenset[str] = frozenset()
) -> Within:
    collections = _collections()
    readable = frozenset(name for name in collections if not access.scope_for(actor, name).nothing)
    limited = None if len(readable) == len(collections) else readable
    return Within(teams, teamless, collections=limited, without=without, labels=access.clearance(actor))


def _teams() -> frozenset[str]:
    with hot_engine().connect() as connection:
        return frozenset(connection.execute(sa.select(tables.team.c.id)).scalars())


def _collections() -> frozenset[str]:
    with hot_engine().connect() as connection:
        return frozenset(connection.execute(sa.select(tables.collection.c.id)).scalars())


def _read(where: LogFilter, rows: Sequence[ActivityRow]) -> dict[str, Any]:
    places = {"first": rows[0].event.pos, "last": rows[-1].event.pos} if rows else {}
    return {"count": len(rows), "filters": used_of(where), **places}


def _label(rows: Sequence[ActivityRow]) -> str | None:
    """The clearance label of the events that were read, so that only cleared people see that they were read."""
    return next((str(row.event.body["label"]) for row in rows if row.event.body.get("label")), None)


def label_of_run(actor: Actor, run_id: str | None) -> str | None:
    """The clearance label of the run, if the actor is cleared for it; else None."""
    rows = (
        fetch(f"select r.label from {access.runs(actor).sql()} where r.id = %s", (run_id,))  # noqa: S608 (a text of ours)
        if run_id
        else []
    )
    return rows[0][0] if rows else None


def used_of(where: LogFilter) -> list[str]:
    """Names of the filters in use."""
    return sorted(name for name in LogFilter.__slots__ if getattr(where, name) not in (None, ()))


def filter_of(where: LogFilter) -> dict[str, Any] | None:
    """The values of the filters in use. They are sealed, because they can name a person or a record's key."""
    used = {name: getattr(where, name) for name in used_of(where)}
    return {"filter": used} if used else None
