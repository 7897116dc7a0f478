"""Events of the log as triggers and exits know them: `record.updated`, `tag.added`, `run.completed`. Read by their place in the log, never by anything else."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from console import browse, log, records, workflows
from console.core.documents.triggers_check import EVENTS
from console.core.errors import NotFound
from console.core.run.causes import CauseKind, Causes
from console.core.run.effect_changes import as_stored
from console.core.tag_names import TagName
from console.infra import subjects
from console.infra.db.engine import fetch
from console.log import event_lists
from console.log.event_lists import LogFilter
from console.runs.engine.run_causes import Place, cause_of_event, causes_passed_on

LIMIT = 500
DONE = "succeeded"
CHANGES = {"added": "record.created", "deleted": "record.deleted"}
"""What a change by hand did → the event; any other is record.updated."""

BY_EFFECT = frozenset({"effect_succeeded", "effect_settled"})
RUN_ENDS = {"run_completed": "run.completed", "run_failed": "run.failed", "run_timed_out": "run.failed"}
PLAIN = {name.replace(".", "_"): name for name in EVENTS if not name.startswith(("record.", "run."))}
KINDS: Mapping[str, Collection[str]] = {
    **{name: (kind,) for kind, name in PLAIN.items()},
    "record.created": ("record_changed", *BY_EFFECT),
    "record.updated": ("record_changed", *BY_EFFECT),
    "record.deleted": ("record_changed", *BY_EFFECT),
    "run.completed": ("run_completed",),
    "run.failed": ("run_failed", "run_timed_out"),
}
"""Event → the kinds of events in the log that may tell of it."""


@dataclass(frozen=True, slots=True)
class LogEvent:
    """Something that happened, with its place in the log. `id` is unique; `record` is the key, `old` and `new` the values of fields that were changed, before and after.

    `caused_by` is what led to it, the nearest first. `label`: only who is cleared for it may know. `more` are its own values.
    """

    id: str
    pos: int
    on: str
    at: datetime
    by: str | None
    collection: str | None
    record: str | None
    run: str | None = None
    workflow: str | None = None
    label: str | None = None
    old: Mapping[str, Any] | None = None
    new: Mapping[str, Any] | None = None
    caused_by: Causes = ()
    more: Mapping[str, Any] = field(default_factory=dict)
    answered_runs: Sequence[str] = ()
    """Runs of people without a record to whose messages this is an answer."""

    def to_json(self) -> dict[str, Any]:
        """What expressions find as `event`; what there is not is null, so that `event.run == null` holds for what no run did."""
        fields = {
            "on": self.on,
            "id": self.id,
            "at": log.body.moment(self.at),
            "by": self.by,
            "collection": self.collection,
            "record": self.record,
            "run": self.run,
            "workflow": self.workflow,
        }
        return {**fields, **self.more, **{name: value for name, value in fields.items() if value is not None}}


_Change: TypeAlias = tuple[str, str, str, Mapping[str, Any] | None, Mapping[str, Any] | None]


class Batch(NamedTuple):
    """Some events in order, and the place up to which the log was read."""

    events: list[LogEvent]
    upto: int


def reached() -> int:
    """The newest place of the log."""
    return event_lists.reached().pos


def read_after(
    pos: int, names: Collection[str] = tuple(EVENTS), limit: int = LIMIT, *, upto: int | None = None
) -> Batch:
    """The next events of these names above `pos`, and not above `upto`, of at most `limit` events of the log."""
    kinds = tuple(sorted({kind for name in names for kind in KINDS[name]}))
    end = reached() if upto is None else upto
    if end <= pos or not kinds:
        return Batch([], max(pos, end))
    rows = event_lists.forward(LogFilter(kinds=kinds), after=pos, upto=end, limit=limit)
    subjects.load({row.sub for row in rows if row.sub})
    stored = [(row, log.stored(row)) for row in rows if row.body is not None]
    effects = _effects([event.open["effect"] for _, event in stored if event.type in BY_EFFECT])
    places = [place for each in stored if (place := _place_of(*each)) is not None]
    causes = dict(zip(places, causes_passed_on(places), strict=True))
    events = [
        made for row, event in stored for made in _events(row, event, effects, causes) if made.on in names
    ]
    return Batch(events, rows[-1].pos if len(rows) == limit else end)


def _caused_by(row: event_lists.Row, event: log.Stored, through: Causes) -> Causes:
    """What led to an event: who did it, and what caused the run in which it was done (`through`, itself first)."""
    kind: CauseKind = (
        "tag" if event.type.startswith("tag_") else "run" if event.type in RUN_ENDS else "change"
    )
    own = cause_of_event(event.body, kind, row.pos)
    if not through:
        return (own,)
    return (
        replace(through[0], kind=kind, person=own.person or through[0].person, key=own.key, event=row.pos),
        *through[1:],
    )


def _place_of(row: event_lists.Row, event: log.Stored) -> Place | None:
    """Where in a run it was done; None outside runs."""
    run_id = row.run if row.run.startswith("run_") else event.open.get("run")
    step = event.body["step"] or {}
    return Place(str(run_id), step.get("id"), step.get("attempt")) if run_id else None


def _effects(ids: Sequence[str]) -> dict[str, tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """(kind, request, result) of effects that were done, by id."""
    if not ids:
        return {}
    rows = fetch(
        "select id, kind, request, result from console.effect where id = any(%s) and status = 'succeeded' and keeps is null",
        (list(ids),),
    )
    return {row[0]: (row[1], row[2] or {}, row[3] or {}) for row in rows}


def _events(
    row: event_lists.Row, event: log.Stored, effects: Mapping[str, Any], causes: Mapping[Place, Causes]
) -> Iterator[LogEvent]:
    """What an event of the log tells; nothing, one thing, or where an effect changed several records one for each."""
    actor, place = event.body["actor"], _place_of(row, event)
    base: dict[str, Any] = {
        "pos": row.pos,
        "at": event.at,
        "by": actor["id"],
        "run": place.run if place is not None else None,
        "label": event.body.get("label"),
        "caused_by": _caused_by(row, event, causes.get(place, ()) if place is not None else ()),
    }
    match event.type:
        case "record_changed" if event.open.get("result", DONE) == DONE:
            on = CHANGES.get(str(event.open.get("effect")), "record.updated")
            yield LogEvent(
                event.id,
                on=on,
                collection=row.collection,
                record=_key(row.collection, row.record),
                old=event.values.get("old"),
                new=event.values.get("new"),
                **base,
            )
        case "effect_succeeded" | "effect_settled" if event.open["effect"] in effects:
            for on, collection, key, old, new in _changed(*effects[event.open["effect"]]):
                yield LogEvent(
                    f"{event.id}:{key}", on=on, collection=collection, record=key, old=old, new=new, **base
                )
        case kind if kind in RUN_ENDS:
            slug = workflows.version(event.body["wf"]["id"], int(event.body["wf"]["version"])).slug
            yield LogEvent(
                event.id,
                on=RUN_ENDS[kind],
                collection=row.collection,
                record=row.record,
                workflow=slug,
                more=dict(event.open),
                **base,
            )
        case kind if kind in PLAIN:
            more = {**event.open, **event.values}
            answered = tuple(more.pop("answered_runs", ()))
            if "word" in more:  # a tag that somebody put, sealed for the person whose it is
                more["tag"] = TagName(more.pop("word"))
            yield LogEvent(
                event.id,
                on=PLAIN[kind],
                collection=row.collection,
                record=_key(row.collection, row.record),
                more=more,
                answered_runs=answered,
                **base,
            )


def _changed(kind: str, request: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[_Change]:
    """(event, collection, key, values before, values after) of each record that an effect has changed."""
    values, define, request = (
        result.get("values") or {},
        request.get("define") or {},
        as_stored(request, result),
    )
    if kind == "record" or (
        kind == "sql_write" and not define and "changes" in request
    ):  # what a step writes into the record of its run
        yield (
            "record.updated",
            request["collection"],
            request["key"],
            *({name: change[side] for name, change in request["changes"].items()} for side in ("old", "new")),
        )
    elif kind == "sql_write":
        collection = str(define.get("collection") or request.get("collection"))
        for entry in values.get("records") or ([values] if "key" in values else []):
            if entry.get("changed", True):
                yield "record.updated", collection, str(entry["key"]), entry.get("old"), entry.get("new")
    elif kind == "sql_insert" and values.get("added") and values.get("key") is not None:
        record = values.get("record") or {}
        yield (
            "record.created",
            define["collection"],
            str(values["key"]),
            None,
            {name: record[name] for name in define["values"] if name in record},
        )
    elif kind == "sql_delete" and values.get("key") is not None:
        yield (
            "record.deleted",
            str(define.get("collection") or request.get("collection")),
            str(values["key"]),
            values.get("old"),
            None,
        )


def _key(collection: str | None, reference: str | None) -> str | None:
    """The key that the log's reference stands for."""
    if collection is None or reference is None:
        return None
    try:
        return browse.key_of_reference(records.collection(collection), reference)
    except NotFound:
        return reference


def changed_records(effects: Sequence[str]) -> dict[str, list[tuple[str, str, str]]]:
    """Effect → (event, collection, key) of each record that it has changed; without values, and without effects that changed none."""
    found = {
        ident: [change[:3] for change in _changed(*changed)] for ident, changed in _effects(effects).items()
    }
    return {ident: changes for ident, changes in found.items() if changes}
