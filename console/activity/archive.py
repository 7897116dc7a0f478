"""Months of the log that are over, archived: their events as a file with proofs, and most rows of the list taken away; and put back.

The events themselves stay, with their places, so exports, replays and every check of the log are as before: only lists no longer show what was taken away.
What others look up in the list stays in it: people, rights, keys, consent, decisions, what became of changes, and runs that have not ended.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from console import log
from console.activity import exports, sequencing
from console.core.actor import Actor
from console.core.errors import Conflict
from console.infra import faults
from console.infra.db import engine, server
from console.infra.db.engine import fetch
from console.log import bundle, recheck, tree_heads

TAKEN = (
    *("step_entered", "step_shown", "source_opened", "checks_shown", "step_submitted", "step_completed"),
    *("attempt_cancelled", "timer_set", "timer_fired", "event_awaited", "event_arrived", "retry_set"),
    *("attempt_retried", "message_asked", "context_supplied", "run_read", "record_viewed"),
    *("effect_requested", "effect_checked", "proposal_requested", "proposal_made"),
)
"""Kinds whose rows are taken away in runs that have ended: each leads to an event that says what came of it."""
LOOKS = ("record_viewed", "record_listed", "figures_viewed", "log_read")
"""Likewise outside runs, where no value of theirs is left that could expire."""
AT_ONCE = 100 * 256
"""Places of one transaction: a second."""
ROW_BYTES, LITTLE = 2_000, 1 << 20
"""A partition that takes more, for each row and beside them, has not given its space back yet."""
MARKS = ("failures", "enrolled_runs_read", "enrolled_exits_read", "awaited_events_read")
"""How far duties of the worker have read the list, those that read nothing else."""
_READ = "select coalesce(min(number), 0) from console.version where name = any(%s)"
_MONTHS = """
select p.name, p.first, p.last, pg_total_relation_size(format('console.%%I', p.name)::regclass),
    (select coalesce(sum(cardinality(array_remove(t.events, 0))), 0)::bigint from console.archived_place t
        where t.index between (p.first - 1) / 256 and (p.last - 1) / 256),
    (select (convert_from(b.body, 'UTF8')::jsonb ->> 'at')::timestamptz from console.places(p.last, p.last) e join console.event b on b.id = e.event)
from console.activity_parts() p where p.last <= (select max(pos) from console.activity) order by p.first
"""
_TAKEABLE = "select count(*) from console.archivable(%s, %s, %s, %s)"
_NOTED = """
select e.body from console.activity a join console.event e on e.id = a.event where a.kind = 'activity_archived'
"""


@dataclass(frozen=True, slots=True)
class Month:
    """A partition of the list that is whole: of events from the month of `table` on until `until`. It takes `bytes`; `archived` of its events have no row."""

    table: str
    first: int
    last: int
    bytes: int
    archived: int
    until: datetime

    @property
    def name(self) -> str:
        """Its month, `2026-03`."""
        return _name(self.table)

    @property
    def events(self) -> int:
        """How many events it has."""
        return self.last - self.first + 1

    @property
    def loose(self) -> bool:
        """Whether rows were taken away, and their space was not given back yet."""
        return self.bytes > ROW_BYTES * (self.events - self.archived) + LITTLE


def months() -> list[Month]:
    """The months that are over, the oldest first."""
    return [Month(*row) for row in fetch(_MONTHS)]


def due(before: datetime) -> list[tuple[Month, int]]:
    """(month, how many of its rows can be taken away) of those that ended before this moment, where there is something to do."""
    counted = [
        (month, int(fetch(_TAKEABLE, (month.first, month.last, [*TAKEN], [*LOOKS]))[0][0]))
        for month in months()
        if month.until < before
    ]
    return [(month, rows) for month, rows in counted if rows or month.loose]


def archived() -> list[Month]:
    """The months with events that lists do not show, as the log says."""
    noted = recheck.noted_ranges()
    return [month for month in months() if (month.first, month.last) in noted] if noted else []


def names() -> list[str]:
    """The months with events that lists do not show: `2026-03`. For pages: nothing is counted."""
    noted = recheck.noted_ranges()
    parts = fetch("select name, first, last from console.activity_parts()") if noted else []
    return [_name(table) for table, first, last in parts if (first, last) in noted]


def archive(actor: Actor, month: Month, folder: Path) -> Path:
    """Write the month's archive into `folder`, check it and note it in the log, where that is not done yet; then take the rows away. The file.

    Broken off anywhere it may be run again. Raises Conflict where the archive does not fit, or a worker has not read the month yet.
    """
    if fetch(_READ, ([*MARKS],))[0][0] < month.last:
        raise Conflict(
            "No worker has read the log so far yet: start `console worker`, and try again.", code="not_read"
        )
    file = folder / f"activity-{month.name}.zip"
    if (month.first, month.last) not in recheck.noted_ranges():
        folder.mkdir(parents=True, exist_ok=True)
        exports.of_places(actor, month.first, month.last).save(file)
        faults.point("archive.written")
        _require_fitting(file, month)
        opened = {"first": month.first, "last": month.last, "archive_sha256": _digest(file)}
        log.note(actor, "activity_archived", open=opened)
        faults.point("archive.noted")
    sequencing.catch_up()
    with server.connected(engine.migration_url()) as connection:
        taken = sum(_each(connection, "archive_places(%s, %s, %s, %s)", month, [*TAKEN], [*LOOKS]))
        if taken or month.loose:
            _give_space_back(connection, month)
    return file


def attach(actor: Actor, month: Month, file: Path | None = None) -> int:
    """Put the rows of an archived month back, as its events say; how many. Raises Conflict where `file` is given and is not its archive."""
    if file is not None:
        _require_fitting(file, month)
        if _digest(file) not in {
            told["archive_sha256"]
            for (body,) in fetch(_NOTED)
            if (told := log.read.parsed(body)["data"]["open"])["first"] == month.first
        }:
            raise Conflict(
                f"{file} is an export of this log, and not the archive of {month.name} that the log tells of.",
                code="other_archive",
            )
    with server.connected(engine.migration_url()) as connection:
        back = sum(_each(connection, "attach_places(%s, %s)", month))
    log.note(actor, "activity_attached", open={"first": month.first, "last": month.last})
    return back


def _name(table: str) -> str:
    return table.removeprefix("activity_").replace("_", "-")


def _give_space_back(connection: "psycopg.Connection[Any]", month: Month) -> None:
    """Raises Conflict where somebody reads the partition for long: whoever came after us would wait for them, too."""
    connection.execute("set lock_timeout = '5s'")
    try:
        connection.execute(f"vacuum (full, analyze) console.{month.table}".encode())
    except psycopg.errors.LockNotAvailable as error:
        raise Conflict(
            f"{month.name} is archived, and its space not given back: somebody reads the list for long, a backup perhaps. Run it again afterwards.",
            code="in_use",
        ) from error


def _require_fitting(file: Path, month: Month) -> None:
    code, sentence = bundle.check(file, tree_heads.verifier_keys())
    if code:
        raise Conflict(f"{file} is no archive of {month.name} of this log. {sentence}", code="other_archive")


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _each(connection: "psycopg.Connection[Any]", call: str, month: Month, *more: list[str]) -> Iterator[int]:
    """What the function of the database answers for some places after others, each in its own transaction."""
    for first in range(month.first, month.last + 1, AT_ONCE):
        places = (first, min(first + AT_ONCE - 1, month.last))
        yield from (row[0] for row in connection.execute(f"select console.{call}".encode(), (*places, *more)))
        faults.point("archive.moved")
