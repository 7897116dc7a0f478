"""Starting many runs of one workflow at once that nobody holds: what enrolments call.

What they share is read once for all: the version, the account and its rights, the records, the keys under which values are kept. Their first automatic steps are
taken before they are written, and all of them are written by one statement. Each start is judged as if it were alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from console import records, workflows
from console.auth import access
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, NotFound
from console.core.run import Event, Run, fold
from console.core.run.origin import RecordRef, StartedBy
from console.infra import subjects
from console.records import Record
from console.runs.commands import segment_starts
from console.runs.commands.hands_off import start_hands_off, start_key
from console.runs.commands.run_starts import (
    HandsOff,
    account_of,
    key_of_start,
    label_and_key,
    require_none_live,
    require_start,
    start_events,
)
from console.runs.store.new_runs import NewRun, write_new
from console.runs.store.run_rows import as_stored
from console.runs.store.run_store import inside_of, started_with_any
from console.workflows import Definition

STEPS_S = 0.5
"""So long the first steps of all together may take; those of the rest are left to workers, who do several runs at once."""


@dataclass(frozen=True, slots=True)
class WantedStart:
    """A run that should start: what `start_hands_off` is given for it."""

    key: str
    by: StartedBy
    record: RecordRef | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    subject: str | None = None
    run_id: str | None = None


@dataclass(slots=True)
class _Start:
    """A start that was judged: its record, its label, the key that only one live run may have, its run's id and events."""

    wanted: WantedStart
    key: str
    about: Record | None
    label: str | None
    exclusive: str | None
    run_id: str = ""
    events: list[Event] = field(default_factory=list)
    after: Run = field(default_factory=Run)


def start_many_hands_off(
    workflow: str, wanted: Sequence[WantedStart], *, places: int, identity: Actor | None = None
) -> list[str | ConsoleError]:
    """Start runs of the live version that nobody holds; for each, in order, the run's id, or what `start_hands_off` would raise for it alone.

    The runs go on in a worker. As soon as so many as `places` do, no more are started, and the answers are fewer than were wanted. `identity` is whom a
    run acts for where the document names no account.

    One transaction. Raises what keeps all of them from starting: NotFound, NotAllowed, Conflict (`no_account`, `not_active`), SourceDown.
    """
    definition = workflows.live(workflow)
    account = (
        account_of(definition) if definition.document.run_as is not None or identity is None else identity
    )
    known = started_with_any([start_key(definition.id, each.key) for each in wanted])
    require_start(account, definition)
    judged = _judged(account, definition, wanted, known)
    answers: list[str | ConsoleError] = []
    ready: list[_Start] = []
    for each in judged:
        if isinstance(each, _Start):
            try:
                _begin(account, definition, each)
            except ConsoleError as error:
                answers.append(error)
                continue
            places -= each.after.status == "running"
            ready.append(each)
        answers.append(each.run_id if isinstance(each, _Start) else each)
        if places <= 0:
            break
    if not ready:
        return answers
    try:
        write_new(
            definition,
            [
                NewRun(start.events, start.after, subject)
                for start, subject in zip(ready, _subjects(ready), strict=True)
            ],
        )
    except (
        psycopg.errors.UniqueViolation,
        Conflict,
    ):  # one was started meanwhile: which one, each says for itself
        return [_alone(workflow, each, identity) for each in wanted[: len(answers)]]
    return answers


def _judged(
    account: Actor, definition: Definition, wanted: Sequence[WantedStart], known: Mapping[str, str]
) -> list[_Start | str | ConsoleError]:
    """For each its start, the id of the run that has its key already, or why it may not start."""
    found: list[_Start | str | ConsoleError] = []
    about = _records(account, definition, wanted)
    outside = segment_starts.outside(account, definition.document, list(about))
    for each in wanted:
        key = start_key(definition.id, each.key)
        if key in known:
            found.append(known[key])
            continue
        try:
            record_key = key_of_start(
                definition, *((each.record.collection, each.record.key) if each.record else (None, None))
            )
            record = about.get(record_key) if record_key is not None else None
            if record_key is not None and record is None:
                raise NotFound
            if record_key in outside:
                raise Conflict(outside[record_key], code=segment_starts.OUTSIDE)
            found.append(_Start(each, key, record, *label_and_key(definition, record)))
        except ConsoleError as error:
            found.append(error)
    live = inside_of(
        [each.exclusive for each in found if isinstance(each, _Start) and each.exclusive],
        [each.key for each in wanted],
    )
    return [
        _live_error(account, each) if isinstance(each, _Start) and each.exclusive in live else each
        for each in found
    ]


def _records(account: Actor, definition: Definition, wanted: Sequence[WantedStart]) -> dict[str, Record]:
    """Key → record as the account sees it; one statement."""
    collection = definition.document.collection
    keys = [
        each.record.key for each in wanted if each.record is not None and each.record.collection == collection
    ]
    if collection is None or not keys or records.collection(collection).personal_key:
        return {}
    return records.records_by_key(collection, keys, access.scope_for(account, collection, "read"), None)


def _live_error(account: Actor, start: _Start) -> _Start | ConsoleError:
    try:
        require_none_live(
            account, start.exclusive, HandsOff(run_id=start.wanted.run_id, lead=start.wanted.key)
        )
    except ConsoleError as error:
        return error
    return start  # it has ended meanwhile


def _begin(account: Actor, definition: Definition, start: _Start) -> None:
    """Give the start its run's id and events. Raises Invalid for the input."""
    hands_off = HandsOff(
        origin=start.wanted.by, key=start.key, subject=start.wanted.subject, run_id=start.wanted.run_id
    )
    start.run_id, events = start_events(
        account,
        definition,
        start.about,
        start.label,
        start.exclusive,
        start.wanted.values,
        hands_off=hands_off,
    )
    start.events = [as_stored(event) for event in events]
    start.after = fold(start.events)


def _subjects(starts: Sequence[_Start]) -> list[str]:
    """For each under whose key its values are kept, with keys for those that are new."""
    named: list[tuple[str, str] | None] = []
    for start in starts:
        about = start.about
        if about is not None and start.label is None:
            key = about.key or ""
            named.append(records.subject(about.collection, key) or (about.collection, key))
        else:
            named.append(None if about is None and start.wanted.subject else ("run", start.run_id))
    by_collection: dict[str, list[str]] = {}
    for collection, key in filter(None, named):
        by_collection.setdefault(collection, []).append(key)
    found = {collection: subjects.subjects_of(collection, keys) for collection, keys in by_collection.items()}
    subjects.load(start.wanted.subject for start in starts if start.wanted.subject)
    return [
        found[who[0]][who[1]] if who else str(start.wanted.subject)
        for who, start in zip(named, starts, strict=True)
    ]


def _alone(workflow: str, each: WantedStart, identity: Actor | None) -> str | ConsoleError:
    try:
        return start_hands_off(
            workflow,
            by=each.by,
            record=each.record,
            values=each.values,
            key=each.key,
            identity=identity,
            subject=each.subject,
            run_id=each.run_id,
        )
    except ConsoleError as error:
        return error
