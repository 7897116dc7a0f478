"""Runs that wait without an end for something that happens to their record, which is no more: another program deleted it, or gave it another key."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from console import log, records, runs
from console.auth.access import EVERY_RUN
from console.automation.triggers.event_waits import wake
from console.automation.triggers.log_events import LogEvent
from console.automation.triggers.source_waits import GONE_AFTER_S
from console.core import scopes
from console.core.errors import ConsoleError, SourceDown
from console.infra import jobs
from console.infra.db.engine import alone, fetch

AT_ONCE = 2_000
RECORD_GONE = "The record is no longer there, or has another key now: nothing will happen to it that this step could wait for."
_NEXT = f"""
select r.collection, r.record, r.id, r.waiting ->> 'key', r.waiting ->> 'until' is null from {EVERY_RUN.sql()}
where r.status = 'waiting_event' and r.waiting ->> 'for' = 'event' and (r.collection, r.record, r.id) > (%s, %s, %s)
order by r.collection, r.record, r.id limit %s
"""  # noqa: S608 (a text of ours)
"""With those that a time ends, so that a look costs the same however many of them there are."""
_START = ("", "", "")


class VainWaits:
    """Looks at the next of those who wait, from the first again after the last. A record counts as gone once it was missing for a while: tables are loaded anew."""

    def __init__(self, stopping: Callable[[], bool] = lambda: False) -> None:
        self._stopping = stopping
        self._after = _START
        self._missing: dict[str, float] = {}
        self._met: dict[str, float] = {}

    def look(self) -> int:
        """A duty of the worker; answers how many wait no longer."""
        with alone("waits without a record") as mine:
            if not mine or jobs.paused():
                return 0
            rows = fetch(_NEXT, (*self._after, AT_ONCE))
            ended = sum(self._end(row) for row in self._long_gone(rows) if not self._stopping())
            if len(rows) == AT_ONCE:
                self._after = tuple(rows[-1][:3])
            else:
                self._after, self._missing, self._met = _START, self._met, {}
            return ended

    def _long_gone(self, rows: Sequence[Any]) -> list[Any]:
        """Those of these waits whose record was missing at an earlier look, long enough ago, and still is."""
        now, found = time.monotonic(), list[Any]()
        for collection in {row[0] for row in rows}:
            endless = [row for row in rows if row[0] == collection and row[4]]
            try:
                there = (
                    records.visible_keys(
                        collection, {row[1] for row in endless}, scopes.unrestricted(collection)
                    )
                    if endless
                    else set()
                )
            except ConsoleError:
                continue  # a source that does not answer, or a collection that is not configured, which `source_waits` tells them
            for row in endless:
                if row[1] not in there:
                    self._met[row[3]] = since = self._missing.get(row[3], self._met.get(row[3], now))
                    found += [row] if now - since >= GONE_AFTER_S else []
        return found

    @staticmethod
    def _end(row: Any) -> bool:
        """Let the run go on if it waits for the deletion, and else tell it that nothing will come."""
        collection, key, run_id, waits_under, _ = row
        gone = LogEvent(f"{key}:gone", 0, "record.deleted", log.now(), None, collection, key)
        try:
            return wake(run_id, waits_under, gone) or runs.will_not_come(
                run_id, waits_under, "record_gone", RECORD_GONE
            )
        except SourceDown:
            return False
