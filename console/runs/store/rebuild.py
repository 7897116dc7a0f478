"""Rebuilding the rows of runs from the log: differences are reported, and corrected unless only checked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from console import log
from console.core.run import Run, fold
from console.infra.db import tables
from console.infra.db.engine import fetch, transaction
from console.infra.db.run_reach import ALL, EVERY_RUN
from console.runs.store import call_rows
from console.runs.store.run_events import as_event
from console.runs.store.run_rows import approval_row, attempt_row, effect_row, loaded_rows, run_row

KEYS = {
    "run": ("id",),
    "attempt": ("run", "n"),
    "run_context": ("run", "step"),
    "effect": ("id",),
    "approval": ("id",),
    "run_read": ("run", "place", "key"),
    "ai_call": ("id",),
    "ai_field": ("call", "name"),
}
NOT_TOLD: frozenset[str] = frozenset({"reserved"})  # columns that are not in the log
NOT_COMPARED = NOT_TOLD | {"worked_ms", "due_at", "due_known"}  # not of old runs; kept by the worker
NUMBERS = frozenset({"cost", "seconds"})
OF_RUN = {"run": "t.id = %s", "ai_field": "t.call in (select id from console.ai_call where run = %s)"}


_STRANGE_CALLS = sa.text("delete from console.ai_call where run = :run and not id = any(:kept)")
_VALUES = sa.text(
    "delete from console.ai_field where call in (select id from console.ai_call where run = :run)"
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that differs from the log, with the columns that differ, or `missing`, or `not in the log`."""

    run: str
    table: str
    key: str
    columns: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.run}: {self.table} {self.key}: {', '.join(self.columns)}"


def rebuild(run_id: str | None = None, *, check: bool = False) -> Iterator[Difference]:
    """Every difference between the rows of runs (all, or one) and the log. Corrects each run before the next, unless `check`."""
    for found in [run_id] if run_id else _runs():
        expected = _rows_from_log(found)
        stored_rows = {table: _rows_stored(table, found) for table in KEYS}
        differences = [
            each for table in KEYS for each in _compare(found, table, expected[table], stored_rows[table])
        ]
        if differences and not check:
            _write(found, expected)
        yield from differences


def _runs() -> list[str]:
    chains = "select distinct run from console.event where starts_with(run, 'run_')"
    rows = fetch(f"{chains} union select r.id from {EVERY_RUN.sql()} order by 1")  # noqa: S608 (a text of ours)
    return [row[0] for row in rows]


def _rows_from_log(run_id: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of a run by table, computed from the log."""
    events = log.events_of(run_id)
    if not events:
        return {table: [] for table in KEYS}
    facts = [as_event(event) for event in events]
    run: Run = fold(facts)
    calls, proposed = call_rows.rows_from_events(facts)
    subject = next(
        (
            row[0]
            for row in fetch(
                "select v.sub from console.event e join console.event_value v on v.event = e.id where e.run = %s and v.ct <> '' "  # noqa: S608 (a text of ours)
                f"union all select r.subject from {EVERY_RUN.sql()} where r.id = %s limit 1",
                (run_id, run_id),
            )
        ),
        None,
    )
    head = run_row(run, subject) | {"run_seq": run.seq, "head": events[-1].leaf.hex()}
    head.pop("keep_draft")
    return {
        "run": [head],
        "attempt": [attempt_row(run.id, attempt) for attempt in run.attempts.values()],
        "run_context": [
            {"run": run.id, "step": step, "output": output} for step, output in run.context.items()
        ],
        "effect": [
            effect_row(run.id, attempt.n, effect)
            for attempt in run.attempts.values()
            for effect in attempt.effects
        ],
        "ai_call": [_numbered(row) for row in calls],
        "ai_field": proposed,
        "run_read": [{"run": run.id, "place": place, "key": key} for place, key in loaded_rows(Run(), run)],
        "approval": [
            approval_row(run, attempt, each, subject)
            for attempt in run.attempts.values()
            for each in attempt.approvals
        ],
    }


def _rows_stored(table: str, run_id: str) -> list[dict[str, Any]]:
    """The stored rows of a table, in the same form."""
    own = OF_RUN.get(table, "t.run = %s")
    rows = [
        orjson.loads(row[0])
        for row in fetch(f"select to_jsonb(t)::text from console.{table} t {ALL} where {own}", (run_id,))  # noqa: S608 (our own names)
    ]
    for row in rows:
        if "head" in row:
            row["head"] = str(row["head"]).removeprefix("\\x")
        row |= {
            name: _moment(value)
            for name, value in row.items()
            if (name.endswith("_at") or name in ("until", "at")) and value
        }
    return [_numbered(row) for row in rows]


def _numbered(row: dict[str, Any]) -> dict[str, Any]:
    """The row with decimals as normalized texts, so that equal numbers are equal texts."""
    return row | {
        name: format(Decimal(str(row[name])).normalize(), "f")
        for name in NUMBERS & row.keys()
        if row[name] is not None
    }


def _moment(text: str) -> str:
    return log.body.moment(datetime.fromisoformat(text))


def _compare(
    run_id: str, table: str, expected: Sequence[Mapping[str, Any]], stored_rows: Sequence[Mapping[str, Any]]
) -> Iterator[Difference]:
    keys = KEYS[table]

    def key(row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(row[name] for name in keys)

    wanted, found = {key(row): row for row in expected}, {key(row): row for row in stored_rows}
    for each in wanted.keys() | found.keys():
        named = " ".join(str(part) for part in each if part != run_id) or "head"
        if each not in wanted or each not in found:
            yield Difference(
                run_id, table, named, ("not in the log",) if each not in wanted else ("missing",)
            )
            continue
        columns = tuple(
            sorted(
                name
                for name in wanted[each].keys() | found[each].keys()
                if name not in NOT_COMPARED and wanted[each].get(name) != found[each].get(name)
            )
        )
        if columns:
            yield Difference(run_id, table, named, columns)


def _write(run_id: str, expected: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    with transaction() as connection:
        connection.execute(
            _STRANGE_CALLS, {"run": run_id, "kept": [row["id"] for row in expected["ai_call"]]}
        )
        connection.execute(_VALUES, {"run": run_id})
        for table in ("run_read", "approval", "effect", "run_context", "attempt"):
            connection.execute(
                sa.delete(tables.metadata.tables[f"console.{table}"]).where(sa.column("run") == run_id)
            )
        if not expected["run"]:
            connection.execute(sa.delete(tables.run).where(tables.run.c.id == run_id))
            return
        for table in KEYS:
            for row in expected[table]:
                _put(connection, table, row)


def _put(connection: sa.Connection, table: str, row: Mapping[str, Any]) -> None:
    values = {
        name: bytes.fromhex(value) if name == "head" else value
        for name, value in row.items()
        if name not in NOT_TOLD
    }
    insert = postgresql.insert(tables.metadata.tables[f"console.{table}"]).values(values)
    kept = {name: insert.excluded[name] for name in values if name not in KEYS[table]}
    keys = list(KEYS[table])
    connection.execute(
        insert.on_conflict_do_update(index_elements=keys, set_=kept)
        if kept
        else insert.on_conflict_do_nothing()
    )
