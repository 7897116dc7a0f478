"""Which records a run's values were read from, other than its own, and which reads have a row that a reader may not see today.

Events of a run name the rows in their sealed value `loaded` (read → collection and keys); the table `run_read` is filled from it in the same
transaction. A read is named by its place, `collection@step.read`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from console import records
from console.core.actor import Actor
from console.core.errors import ConsoleError
from console.core.origins import PLACE, base_collection_id, read_of_action
from console.core.scopes import Scope, unrestricted
from console.infra.db.engine import fetch
from console.infra.db.run_reach import EVERY_RUN
from console.steps.base import Act, Read, Rows

UNTOLD = "*"
"""In place of the keys, if they cannot be named: rows without a key, or too many rows."""
NO_ROWS = ""
"""In place of a key, if the read found no rows."""
NOTED = ("", NO_ROWS)
"""The entry of a run that names everything it reads. Runs from before that have none."""
MOST_KEYS = 1000
KEPT_RUNS = 1000
_OF_RUNS = f"""
select l.run, l.place, array_agg(l.key), max(r.holder) from console.run_read l join {EVERY_RUN.sql()} on r.id = l.run where l.run = any(%s) group by 1, 2
"""  # noqa: S608 (a text of ours)

Loaded = Mapping[str, Mapping[str, Any]]
"""Read → `{"collection": …, "keys": […]}`."""


def loaded_by(reads: Iterable[tuple[Read, Rows]], acts: Mapping[str, Act]) -> Loaded:
    """The rows of other records that a step has read, with those that its actions look at."""
    found = {
        read.name: _named(rows.collection, [*(row["key"] for row in rows.rows), *rows.reckoned])
        for read, rows in reads
        if not read.own and rows.collection
    }
    for name, act in acts.items():
        if act.collection is None:
            continue
        found[read_of_action(name)] = _named(act.collection, [act.record] if act.record else [])
        collection = records.collection(act.collection)
        for entry in act.action.related:
            relation, rows = (
                collection.relation(entry.relation),
                (act.roots.get("related") or {}).get(entry.name),
            )
            if relation is not None:
                every = rows if isinstance(rows, list) else [rows] if rows else []
                found[read_of_action(name, entry.name)] = _named(
                    relation.collection, [row["key"] for row in every]
                )
    return found


def _named(collection: str, keys: Sequence[str | None]) -> dict[str, Any]:
    untold = None in keys or UNTOLD in keys or len(keys) > MOST_KEYS
    return {"collection": collection, "keys": [UNTOLD] if untold else sorted({str(key) for key in keys})}


def of_step(run_id: str, step: str, places: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What a step of another run has read, for a run that takes over its result. `places` are the reads of the step."""
    known = _stored([run_id])[run_id].places
    found = {}
    for place in places:
        keys = known.get(place, frozenset() if NOTED[0] in known else frozenset({UNTOLD})) - {NO_ROWS}
        found[place.partition(f"{PLACE}{step}.")[2]] = {
            "collection": base_collection_id(place),
            "keys": sorted(keys),
        }
    return found


@dataclass(slots=True)
class _Read:
    """What a run has read: place → keys. `holder` is who works on it."""

    places: dict[str, frozenset[str]] = field(default_factory=dict)
    holder: str | None = None


def _stored(run_ids: Collection[str]) -> dict[str, _Read]:
    found = {run_id: _Read() for run_id in run_ids}
    for run_id, place, keys, holder in fetch(_OF_RUNS, (list(run_ids),)):
        found[run_id].places[place], found[run_id].holder = frozenset(keys), holder
    return found


class Judge:
    """Which reads of runs have a row out of a reader's scope of today. Each run and each row is asked for once.

    A row that is gone from its source is out of every scope with a limit, except for the holder of the run, who goes on working with what was read.
    """

    def __init__(self, person: str, scope_of: Callable[[str], Scope]) -> None:
        self._person, self._scope_of = person, scope_of
        self._runs: dict[str, _Read] = {}
        self._asked: dict[str, set[str]] = {}
        self._visible: dict[str, set[str]] = {}
        self._expected: set[str] = set()

    def expect(self, run_ids: Iterable[str]) -> None:
        """These runs will be asked about: one question for each collection then answers for all of them."""
        if len(self._runs) > KEPT_RUNS:  # of a long export
            self._runs, self._asked, self._visible = {}, {}, {}
        self._expected |= set(run_ids) - self._runs.keys()

    def _rows_of(self, run_id: str) -> _Read:
        if run_id not in self._runs:
            self._runs |= _stored(self._expected | {run_id})
            self._expected.clear()
        return self._runs[run_id]

    def strange(
        self, run_id: str | None, places: Iterable[str], fresh: Mapping[str, frozenset[str]]
    ) -> dict[str, frozenset[str]]:
        """Place → keys of its visible rows, for the places with a row that is not in the reader's scope, or may not be.

        `run_id` None: of any run. `fresh` is not stored yet. No statement if every scope is unlimited, otherwise one, and one for each collection with a
        limit.
        """
        limited = {place for place in places if not self._scope_of(base_collection_id(place)).unlimited}
        if run_id is None or not limited:
            return dict.fromkeys(limited, frozenset())
        read = self._rows_of(run_id)
        judged = {place: self._visible_rows(place, read, fresh) for place in sorted(limited)}
        return {place: visible for place, visible in judged.items() if visible is not None}

    def _visible_rows(
        self, place: str, read: _Read, fresh: Mapping[str, frozenset[str]]
    ) -> frozenset[str] | None:
        """Keys of the visible rows of the place; None if all of them are visible."""
        known = read.places
        if place not in known and place not in fresh and NOTED[0] not in known and NOTED[0] not in fresh:
            return frozenset()
        keys = (known.get(place, frozenset()) | fresh.get(place, frozenset())) - {NO_ROWS}
        visible = keys & self._seen(base_collection_id(place), keys - {UNTOLD})
        unseen = keys - visible
        if not unseen or (
            UNTOLD not in unseen
            and read.holder == self._person
            and not _visible(base_collection_id(place), unseen, unrestricted(base_collection_id(place)))
        ):
            return None
        return visible

    def _seen(self, collection: str, keys: frozenset[str]) -> set[str]:
        """Keys of visible rows, among them those of `keys`."""
        known, visible = (
            self._asked.setdefault(collection, set()),
            self._visible.setdefault(collection, set()),
        )
        if not keys <= known:
            scope = self._scope_of(collection)
            every = (
                found
                for read in self._runs.values()
                for place, found in read.places.items()
                if base_collection_id(place) == collection
            )
            wanted = keys.union(*every) - known - {UNTOLD, NO_ROWS}
            known |= wanted
            if not scope.nothing:
                visible |= _visible(collection, wanted, scope)
        return visible


def _visible(collection: str, keys: Collection[str], scope: Scope) -> set[str]:
    try:
        return records.visible_keys(collection, keys, scope)
    except ConsoleError:  # the source does not answer: nothing of it is shown
        return set()


@dataclass(slots=True)
class _Once:
    """The judges of what is being answered, by reader; `runs` will be asked about. `shared`: what looks at further runs meanwhile asks here too."""

    runs: set[str]
    shared: bool = False
    judges: dict[tuple[str, bool], Judge] = field(default_factory=dict)
    answers: dict[str, dict[str, list[Any]]] = field(default_factory=dict)

    def expect(self, run_ids: Iterable[str]) -> None:
        """These runs will be asked about too."""
        further = set(run_ids)
        self.runs |= further
        for judge in self.judges.values():
            judge.expect(further)


_once: ContextVar[_Once | None] = ContextVar("judged_once", default=None)


@contextmanager
def judged_once(run_ids: Iterable[str] = (), *, shared: bool = False) -> Iterator[None]:
    """While one reader looks at these runs, each run and each row is asked for once, all runs in one statement.

    `shared`: also for the runs that parts of the page look at by themselves. Only while nothing is written.
    """
    around = _once.get()
    if around is not None and around.shared:
        around.expect(run_ids)
        yield
        return
    token = _once.set(_Once(set(run_ids), shared))
    try:
        yield
    finally:
        _once.reset(token)


def asked_of_runs(statement: str, run_id: str) -> Sequence[Any]:
    """The rows of the statement for this run, without their first column, which names the run. All runs of a list are asked for in one; a run alone each time."""
    once = _once.get()
    listed = once.runs if once is not None and run_id in once.runs else set()
    kept = once.answers.setdefault(statement, {}) if once is not None and listed else {}
    if run_id not in kept:
        wanted = {run_id, *(listed - kept.keys())}
        kept |= {each: [] for each in wanted}
        for whose, *row in fetch(statement, (list(wanted),)):
            kept[whose].append(row)
    return kept[run_id]


def judge_of(actor: Actor, scope_of: Callable[[str], Scope]) -> Judge:
    """The judge of this reader."""
    once = _once.get()
    if once is None:
        return Judge(actor.id, scope_of)
    who = (actor.id, actor.kind == "key")
    if who not in once.judges:
        once.judges[who] = Judge(actor.id, scope_of)
        once.judges[who].expect(once.runs)
    return once.judges[who]
