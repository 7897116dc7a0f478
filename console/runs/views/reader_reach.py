"""Which values of a run a reader may see with today's rights: fields of records, and values that are computed from them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from console import browse, records
from console.auth import access
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.origins import KEY, SAID, Closed, base_collection_id
from console.core.scopes import Scope
from console.log import event_view, masking
from console.log.masking import DOTS
from console.records import former_fields
from console.runs.store import loaded_rows, version_origins

NOTHING_FRESH: Mapping[str, frozenset[str]] = {}


def hidden_from(
    actor: Actor, *, looking_back: bool = False, fresh: Mapping[str, frozenset[str]] = NOTHING_FRESH
) -> masking.Within:
    """The hidden fields of each collection, and rows that runs have read.

    `looking_back`: also fields that are masked for people who do not work with them now. `fresh` are rows that are not stored yet.
    """
    sensitive = (
        {each.id: former_fields.sensitive_in_past(each) for each in records.collections()}
        if looking_back
        else {}
    )
    known: dict[str, tuple[Scope, frozenset[str]]] = {}

    def reach(collection: str) -> tuple[Scope, frozenset[str]]:
        if collection not in known:
            scope = access.scope_for(actor, collection, "read", sensitive=sensitive.get(collection))
            known[collection] = (
                scope,
                scope.hidden | (_every_field(collection) if scope.nothing else frozenset()),
            )
        return known[collection]

    def names(collection: str | None) -> frozenset[str]:
        return frozenset() if collection is None else reach(collection)[1]

    judge = loaded_rows.judge_of(actor, lambda collection: reach(collection)[0])
    return within_reach(names, judge, fresh)


def within_reach(
    hidden: masking.Hidden, judge: loaded_rows.Judge, fresh: Mapping[str, frozenset[str]] = NOTHING_FRESH
) -> masking.Within:
    """What is hidden when these fields and rows are: also the values of runs and the titles that are computed from them."""
    known: dict[tuple[str, int, str | None], Closed] = {}

    def own(collection: str | None) -> frozenset[str]:
        return hidden(base_collection_id(collection) if collection is not None else None)

    def closed(workflow: str, version: int, run: str | None) -> Closed:
        if (workflow, version, run) not in known:
            found = version_origins.origins_of(workflow, version)
            strange = judge.strange(run, found.loaded, fresh)
            kept = _without_rows(own, strange) if strange else own
            found = found if run is None else version_origins.of_run(run, workflow, version, kept)
            known[(workflow, version, run)] = Closed(found, kept, strange)
        return known[(workflow, version, run)]

    return masking.Within(
        own, closed, lambda collection: former_fields.fields_of_titles(base_collection_id(collection))
    )


def _without_rows(hidden: masking.Hidden, strange: Iterable[str]) -> masking.Hidden:
    """What is hidden, and in addition every field of the rows of these reads."""
    shut = {place: _every_field(base_collection_id(place)) | {KEY} for place in strange}
    return lambda place: hidden(place) | shut.get(place or "", frozenset())


def kept_from(
    actor: Actor,
    workflow: str,
    version: int,
    step: str | None,
    *,
    run: str | None = None,
    looking_back: bool = False,
    fresh: Mapping[str, frozenset[str]] = NOTHING_FRESH,
) -> masking.Within:
    """What is hidden from the actor of this step's values (None: of any step); with `run`, also accepted proposals and the rows it has read."""
    return masking.at_version(
        hidden_from(actor, looking_back=looking_back, fresh=fresh), workflow, version, step, run
    )


def words_of_event(
    actor: Actor,
    workflow: str,
    version: int,
    step: str | None,
    *,
    kind: str | None = None,
    run: str | None = None,
) -> bool:
    """Whether the actor may read the texts of this step, or of all steps of this `kind`: none is built from a hidden field."""
    closed = kept_from(actor, workflow, version, step, run=run).closed
    return closed is None or (
        SAID not in closed.of_kind(kind) if kind is not None and closed.version.read else closed.says(step)
    )


def shown_to(
    actor: Actor,
    workflow: str,
    version: int,
    step: str | None,
    screen: Mapping[str, Any],
    collection: str | None,
    run: str,
) -> dict[str, Any]:
    """The screen of this step without values that are hidden from the actor or computed from hidden ones."""
    return dict(
        masking.mask(
            dict(screen),
            "screen",
            kept_from(actor, workflow, version, step, run=run),
            collection,
            screen=True,
        )[0]
    )


def _every_field(collection: str) -> frozenset[str]:
    """Names of all fields of a collection; empty if it no longer exists."""
    return frozenset(
        field.name for each in records.collections() if each.id == collection for field in each.fields
    )


def screen_for(
    actor: Actor,
    hidden: masking.Within,
    screen: Mapping[str, Any] | None,
    collection: str | None,
    known: Mapping[str, Collection] | None = None,
) -> dict[str, Any] | None:
    """A screen that was drawn for another person, as this reader may see it. `masked` of its record and tables names the fields that are hidden there.

    `known` are collections as they were called then, for a screen of the past: what has a hidden title is called by what was on it and they may see.
    """
    if screen is None:
        return None
    left = dict(
        masking.mask(
            dict(screen), "screen", masking.at_step(hidden, screen["step"]), collection, screen=True
        )[0]
    )
    left = named_for(actor, left, None if known is None else partial(_title_then, hidden, known))
    if panel := left.get("record"):
        left["record"] = {
            **panel,
            "masked": sorted(hidden(panel["collection"]).intersection(panel["values"])),
        }
    if left.get("tables"):
        left["tables"] = [_with_masked(hidden, table) for table in left["tables"]]
    if item := (left.get("progress") or {}).get("item"):
        left["progress"] = {**left["progress"], "item": _with_masked(hidden, item)}
    return left | ({"picks": _with_masked(hidden, left["picks"])} if left.get("picks") else {})


def _with_masked(hidden: masking.Within, table: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **table,
        "masked": sorted(
            hidden(table.get("collection")).intersection(column["name"] for column in table["columns"])
        ),
    }


def _title_then(
    hidden: masking.Within, known: Mapping[str, Collection], entry: Mapping[str, Any], collection: str | None
) -> str:
    """The title of what stood on a screen, made of its values there that the reader may see."""
    found = known.get(collection or "")
    values = entry.get("values") or {}
    return (
        event_view.masked_title(found, values, hidden(collection), str(entry.get("key")))
        if found
        else _untitled(collection)
    )


def named_for(
    actor: Actor, screen: dict[str, Any], then: Callable[[Mapping[str, Any], str | None], str] | None = None
) -> dict[str, Any]:
    """A masked screen on which what has a hidden title is called as `then` says, without it as the reader may call it today, else by what it is."""
    panel, progress, picks = screen.get("record"), screen.get("progress"), screen.get("picks")
    of_list = (progress["item"] or {}).get("collection") if progress else None
    tables = [*(screen.get("tables") or ()), *filter(None, [picks, progress and progress["item"]])]
    entries = [(table.get("collection"), row) for table in tables for row in table["rows"]]
    entries += [(of_list, item) for item in progress["items"]] if progress else []
    entries += [(panel["collection"], panel)] if panel else []
    wanted = [(collection or "", str(entry.get("key"))) for collection, entry in entries if _untold(entry)]
    if not wanted:
        return screen
    known = (
        browse.names_of(actor, {reference for reference in wanted if reference[0]}, "read")
        if then is None
        else {}
    )

    def today(entry: Mapping[str, Any], collection: str | None) -> str:
        found = known.get((collection or "", str(entry.get("key"))))
        return found.title if found is not None and not found.absent else _untitled(collection)

    def named(entry: Any, collection: str | None) -> Any:
        return {**entry, "title": (then or today)(entry, collection)} if _untold(entry) else entry

    def rows(table: Any) -> Any:
        return (
            {**table, "rows": [named(row, table.get("collection")) for row in table["rows"]]}
            if table
            else table
        )

    screen |= {"record": named(panel, panel["collection"])} if panel else {}
    screen |= {"tables": [rows(table) for table in screen["tables"]]} if screen.get("tables") else {}
    screen |= {"picks": rows(picks)} if picks else {}
    if progress:
        items = [named(item, of_list) for item in progress["items"]]
        screen["progress"] = {**progress, "items": items, "item": rows(progress["item"])}
    return screen


def _untold(entry: Mapping[str, Any]) -> bool:
    """Whether the title of this record, or entry of a list, is hidden."""
    return "title" in entry and entry["title"] is None


def _untitled(collection_id: str | None) -> str:
    """What a record is called whose title is not for the reader."""
    collection = records.catalogue.find(collection_id) if collection_id else None
    return f"{collection.label_one} {DOTS}" if collection is not None else DOTS


def replace_hidden(hidden: masking.Within) -> masking.Within:
    """What is hidden, for building texts: a hidden value is replaced by dots."""
    return replace(hidden, instead=DOTS)
