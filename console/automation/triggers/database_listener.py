"""Changes that PostgreSQL announces at once, by a trigger that the owner of the database installs: `console source listen` prints it.

The console writes nothing into that database. What happens while no worker listens is lost here, and found by the column of the collection if it names one.
"""

import contextlib
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from console import log, records
from console.automation.triggers import source_events, trigger_rows
from console.automation.triggers.log_follower import KIND
from console.automation.triggers.source_waits import Change
from console.automation.triggers.trigger_rows import Row
from console.core.documents.collections import Collection
from console.core.errors import ConsoleError, Invalid, NotFound
from console.infra.db.engine import alone
from console.records import catalogue, record_keys

logger = logging.getLogger(__name__)
CHANNEL = "handrail_changes"
WAIT_S = 1.0
AT_ONCE = 500
AGAIN_S = 5.0
TRIES = 40
PAUSE_S = 0.05
OPS = {"INSERT": "record.created", "UPDATE": "record.updated", "DELETE": "record.deleted"}

_FUNCTION = """-- Tells the console of every change of a row: the table, what was done, and the key. Nothing else leaves, and nothing is stored.
create or replace function handrail_changed() returns trigger language plpgsql set search_path = pg_catalog as $$
declare
    changed jsonb := to_jsonb(case when tg_op = 'DELETE' then old else new end);
    told text;
begin
    select jsonb_build_object('schema', tg_table_schema, 'table', tg_table_name, 'op', tg_op, 'tx', txid_current()::text,
        'key', jsonb_agg(changed -> name order by place))::text
    into told from unnest(tg_argv) with ordinality as named (name, place);
    if octet_length(told) < 7000 then  -- a longer one would end the transaction that made the change
        perform pg_notify('handrail_changes', told);
    end if;
    return null;
end $$;
"""


def install_sql(source: str) -> str:
    """What the owner of a PostgreSQL database runs there, for the collections of this source that say `listen`. Raises NotFound, Invalid."""
    of_source = [each for each in records.collections() if each.source == source]
    if source not in catalogue.current().sources:
        raise NotFound(f"There is no data source {source}.")
    if any(each.dialect != "postgresql" for each in of_source):
        raise Invalid(
            "Only PostgreSQL tells of changes by itself: name a column under `changes` of the collections instead."
        )
    listened = [each for each in of_source if each.changes is not None and each.changes.listen and each.key]
    if not listened:
        raise Invalid(
            f'No collection of {source} says {{"changes": {{"listen": true}}}}: publish one that does, then run this again.'
        )
    return "\n".join([_FUNCTION, *map(_trigger, listened)])


def _trigger(collection: Collection) -> str:
    names = postgresql.dialect().identifier_preparer  # type: ignore[no-untyped-call]
    table = names.format_table(sa.table(collection.table, schema=collection.schema))
    keys = ", ".join("'" + name.replace("'", "''") + "'" for name in collection.key)
    return (
        f"drop trigger if exists handrail_changed on {table};\n"
        f"create trigger handrail_changed after insert or update or delete on {table} for each row execute function handrail_changed({keys});\n"
    )


# -------------------------------------------------------------------------------------------------------------- listening


class Listeners:
    """A thread for each data source that is listened to, in the worker that was first; `tend` is called again and again."""

    def __init__(self, stopping: Callable[[], bool]) -> None:
        self.stopping = stopping
        self._threads: dict[str, threading.Thread] = {}

    def tend(self) -> int:
        """Begin to listen to the sources whose announcements triggers wait for; returns how many this process listens to."""
        for source in _listened():
            thread = self._threads.get(source)
            if thread is None or not thread.is_alive():
                thread = threading.Thread(
                    target=self._listen, args=(source,), name=f"listen {source}", daemon=True
                )
                self._threads[source] = thread
                thread.start()
        return sum(thread.is_alive() for thread in self._threads.values())

    def _listen(self, source: str) -> None:
        with alone(f"triggers.listen|{source}") as mine:
            if not mine:
                return
            try:
                self._hear(source)
            except (ConsoleError, sa.exc.DBAPIError, psycopg.Error, OSError) as error:
                logger.warning("the data source %s is not listened to: %s", source, type(error).__name__)

    def _hear(self, source: str) -> None:
        of_source = next((each for each in records.collections() if each.source == source), None)
        if of_source is None:
            return
        with contextlib.closing(catalogue.engine_of(of_source).connect()) as borrowed:
            driver: psycopg.Connection[Any] = borrowed.connection.driver_connection  # type: ignore[assignment]
            borrowed.detach()  # the pool has its place back
            driver.rollback()
            driver.autocommit = True
            driver.execute(f"listen {CHANNEL}")
            _look_at_all(source)  # what came before this
            looked = time.monotonic()
            while not self.stopping():
                notices = [notice.payload for notice in driver.notifies(timeout=WAIT_S, stop_after=1)]
                notices += (
                    [notice.payload for notice in driver.notifies(timeout=0, stop_after=AT_ONCE)]
                    if notices
                    else []
                )
                if notices:
                    tell(source, notices)
                if time.monotonic() - looked > AGAIN_S:
                    if source not in _listened():
                        return
                    looked = time.monotonic()


def _listened() -> dict[str, dict[str, list[Row]]]:
    """Source → collection → triggers, where the database tells."""
    found: dict[str, dict[str, list[Row]]] = {}
    for name, rows in source_events.watched_collections(trigger_rows.active(KIND)).items():
        with contextlib.suppress(NotFound):
            collection = records.collection(name)
            if (
                collection.changes is not None
                and collection.changes.listen
                and collection.dialect == "postgresql"
            ):
                found.setdefault(collection.source, {})[name] = rows
    return found


def _look_at_all(source: str) -> None:
    names = frozenset(name for name in _listened().get(source, {}) if _column_of(name) is not None)
    if names:
        source_events.look(only=names)


def _column_of(name: str) -> str | None:
    changes = records.collection(name).changes
    return None if changes is None else changes.column


def tell(source: str, notices: Sequence[str]) -> None:
    """Let the triggers take in what the database told. Where a column says what has changed, this only says when to look."""
    here = _listened().get(source, {})
    hints: set[str] = set()
    direct: dict[str, list[tuple[str, str, str]]] = {}
    for notice in filter(None, map(_read, notices)):
        for name in here:
            collection = records.collection(name)
            if notice["table"] != collection.table or collection.schema not in (None, notice["schema"]):
                continue
            key = record_keys.encode(notice["key"])
            if notice["op"] != "DELETE" and _column_of(name) is not None:
                hints.add(name)
            elif key is not None:
                direct.setdefault(name, []).append((key, OPS[notice["op"]], f"{notice['tx']}:{key}"))
    for name, changes in direct.items():
        at = log.now()
        source_events.tell(
            name,
            here[name],
            [
                Change(source_events.happening(name, key, on, ident, at))
                for key, on, ident in dict.fromkeys(changes)
            ],
        )
    _look_soon(hints)


def _look_soon(names: set[str]) -> None:
    """Check now, or as soon as the check under way is over, which may already have read past this change."""
    for _ in range(TRIES):
        if not names or source_events.look(only=frozenset(names)) >= len(names):
            return
        time.sleep(PAUSE_S)


def _read(payload: str) -> Mapping[str, Any] | None:
    """A notice, as the function above writes it; None for anything else that somebody sends on the channel."""
    try:
        message = json.loads(payload)
        fits = (
            isinstance(message, dict)
            and message["op"] in OPS
            and isinstance(message["key"], list)
            and isinstance(message["table"], str)
        )
        return message if fits and isinstance(message["tx"], str) and "schema" in message else None
    except (ValueError, KeyError, TypeError):
        return None
