"""The events of consents that an effect gave or took back, beside those of its run: each is about its contact, of whomever the run is.

What a process has changed itself is told with the result of the effect, whatever that is. What one changed that died is found out with the result: by another
process, by looking, or by a person who says that it was done; then what the effect was to write is told, as far as it stands.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from console import browse, log
from console.auth import access
from console.core.run import Effect, Run
from console.core.run.effect_changes import as_stored
from console.records import Changed
from console.records.consents_told import Told, consents_told
from console.runs.store.run_events import ENGINE

Also = Callable[[Connection, str], None]


def noting(changes: Sequence[Changed]) -> Also | None:
    """What writes these events with the result of the effect; None where no consent was changed."""
    told = [each for changed in changes for each in consents_told(changed)]
    return (lambda connection, run_id: _note(told, connection, run_id)) if told else None


def found_out(
    run: Run, effect: Effect, result: Mapping[str, Any] | None, made: Sequence[Changed] = ()
) -> list[Changed]:
    """What an effect has changed of which it was found out that it was done, beside what this process has `made`."""
    known = {(each.collection, each.key) for each in made}
    return [
        *made,
        *(
            each
            for each in _asked_for(run, effect, result or effect.result or {})
            if (each.collection, each.key) not in known
        ),
    ]


def _note(told: list[Told], connection: Connection, run_id: str) -> None:
    for move, contact in told:
        log.note(
            ENGINE,
            move.kind,
            open={**move.told, "run": run_id},
            source=move.contacts.source,
            collection=move.contacts.id,
            **browse.about_record(move.contacts, contact),
            label=access.label_of(f"collection:{move.contacts.id}"),
            connection=connection,
        )


def _asked_for(run: Run, effect: Effect, result: Mapping[str, Any]) -> Iterator[Changed]:
    """Each record that the effect was to change, as far as its request and what is known of the result tell."""
    request, define = as_stored(effect.request, result), effect.request.get("define") or {}
    values, sent = result.get("values") or {}, result.get("sent") or {}
    if "changes" in request:
        yield _changed(request["collection"], request["key"], request["changes"])
        return
    collection = str(define.get("collection") or run.collection or "")
    if effect.kind == "sql_write":
        seen = request.get("seen") or {}
        for entry in values.get("records") or ([values] if "key" in values else []):
            key, new = str(entry["key"]), entry.get("new") or {}
            own = (collection, key) == (
                request.get("collection"),
                request.get("record"),
            ) and seen.keys() >= new.keys()
            yield Changed(
                collection, key, {name: seen[name] for name in new} if own else None, new, certain=own
            )
        for key, changes in (sent.get("changes") or {}).items():
            yield _changed(collection, key, changes)
    elif effect.kind == "sql_insert" and (values.get("key") is not None or sent.get("values")):
        yield Changed(
            collection,
            values.get("key"),
            None,
            values.get("record") or sent.get("values") or {},
            certain=False,
        )
    elif effect.kind == "sql_delete" and (values.get("old") or sent.get("record")):
        yield Changed(
            collection,
            str(values.get("key") or request.get("record")),
            values.get("old") or sent["record"],
            None,
        )


def _changed(collection: str, key: str, changes: Mapping[str, Mapping[str, Any]]) -> Changed:
    old, new = ({name: change.get(side) for name, change in changes.items()} for side in ("old", "new"))
    return Changed(collection, key, old, new)
