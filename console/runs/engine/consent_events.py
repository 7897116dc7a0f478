"""The events of consents that an effect gave or took back, beside those of its run: each is about its contact, of whomever the run is."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy.engine import Connection

from console import access, log, records
from console.core.run import Run, commands
from console.records.consents_told import Told
from console.runs.rows.run_events import ENGINE

Changed = tuple[str, str, Mapping[str, Any] | None, Mapping[str, Any]]


def noting(run: Run, report: commands.Report) -> Callable[[Connection, str], None] | None:
    """What writes these events with the result of the effect; None where it changed no consent."""
    told = [each for changed in _changed(run, report) for each in records.consents_told(*changed)] if report.status == "succeeded" else []
    return (lambda connection, run_id: _note(told, connection, run_id)) if told else None


def _note(told: list[Told], connection: Connection, run_id: str) -> None:
    for move, contact in told:
        log.note(
            ENGINE,
            move.kind,
            open={**move.told, "run": run_id},
            source=move.contacts.source,
            collection=move.contacts.id,
            record=records.log_reference(move.contacts, contact),
            label=access.label_of(f"collection:{move.contacts.id}"),
            connection=connection,
        )


def _changed(run: Run, report: commands.Report) -> Iterator[Changed]:
    """(collection, key, values before or None for a record that was added, values after) of each record that the effect has changed."""
    found = run.effect(report.effect)
    if found is None:
        return
    effect, values = found[1], (report.result or {}).get("values") or {}
    request, define = effect.request, effect.request.get("define") or {}
    if "changes" in request:
        old, new = ({name: change[side] for name, change in request["changes"].items()} for side in ("old", "new"))
        yield request["collection"], request["key"], old, new
    elif effect.kind == "sql_write":
        for entry in values.get("records") or ([values] if "key" in values else []):
            if entry.get("changed", True):
                yield str(define.get("collection") or run.collection), str(entry["key"]), entry.get("old") or {}, entry.get("new") or {}
    elif effect.kind == "sql_insert" and values.get("added") and values.get("key") is not None:
        yield define["collection"], str(values["key"]), None, values.get("record") or {}
