"""Which values of a run a reader may see with today's rights: fields of records, and values that are computed from them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from console import access, records
from console.core.actor import Actor
from console.core.origins import SAID, Closed
from console.errors import NotFound
from console.log import masking
from console.runs.rows import version_origins


def hidden_from(actor: Actor, *, looking_back: bool = False) -> masking.Within:
    """The hidden fields of each collection. `looking_back`: also fields that are masked for people who do not work with them now."""
    sensitive = {each.id: each.sensitive for each in records.collections()} if looking_back else {}
    known: dict[str, frozenset[str]] = {}

    def names(collection: str | None) -> frozenset[str]:
        if collection is None:
            return frozenset()
        if collection not in known:
            scope = access.scope_for(actor, collection, "read", sensitive=sensitive.get(collection))
            known[collection] = scope.hidden | (_every_field(collection) if scope.nothing else frozenset())
        return known[collection]

    return within_reach(names)


def within_reach(hidden: masking.Hidden) -> masking.Within:
    """The same with everything that is computed from these fields: values of runs, and titles."""
    known: dict[tuple[str, int, str | None], Closed] = {}

    def closed(workflow: str, version: int, run: str | None) -> Closed:
        if (workflow, version, run) not in known:
            found = version_origins.origins_of(workflow, version) if run is None else version_origins.of_run(run, workflow, version, hidden)
            known[(workflow, version, run)] = Closed(found, hidden)
        return known[(workflow, version, run)]

    return masking.Within(
        hidden, closed, lambda collection: bool(names := hidden(collection)) and not names.isdisjoint(_titled(collection))
    )


def _titled(collection_id: str) -> tuple[str, ...]:
    """The fields of a collection's titles; empty if the collection no longer exists."""
    try:
        return records.collection(collection_id).title_fields
    except NotFound:
        return ()


def kept_from(
    actor: Actor, workflow: str, version: int, step: str | None, *, run: str | None = None, looking_back: bool = False
) -> masking.Within:
    """What is hidden from the actor of this step's values (None: of any step); with `run`, also accepted proposals."""
    reach = hidden_from(actor, looking_back=looking_back)
    return replace(reach, closed=reach.closed_in(workflow, version, run), step=step)


def words_of_event(actor: Actor, workflow: str, version: int, step: str | None, *, kind: str | None = None, run: str | None = None) -> bool:
    """Whether the actor may read the texts of this step, or of all steps of this `kind`: none is built from a hidden field."""
    closed = kept_from(actor, workflow, version, step, run=run).closed
    return closed is None or (SAID not in closed.of_kind(kind) if kind is not None and closed.version.read else closed.says(step))


def shown_to(
    actor: Actor, workflow: str, version: int, step: str | None, screen: Mapping[str, Any], collection: str | None, run: str
) -> dict[str, Any]:
    """The screen of this step without values that are hidden from the actor or computed from hidden ones."""
    return dict(masking.mask(dict(screen), "screen", kept_from(actor, workflow, version, step, run=run), collection, screen=True)[0])


def _every_field(collection: str) -> frozenset[str]:
    """Names of all fields of a collection; empty if it no longer exists."""
    return frozenset(field.name for each in records.collections() if each.id == collection for field in each.fields)


def screen_for(hidden: masking.Within, screen: Mapping[str, Any] | None, collection: str | None) -> dict[str, Any] | None:
    """A screen that was drawn for another person, as this reader may see it. A record with a hidden title is named by its key."""
    if screen is None:
        return None
    left = dict(masking.mask(dict(screen), "screen", masking.at_step(hidden, screen["step"]), collection, screen=True)[0])
    panel = left.get("record")
    return left | ({"record": {**panel, "title": panel["key"]}} if panel and panel["title"] is None else {})


DOTS = "••••••"
"""Replaces a hidden value in a text."""


def without(hidden: masking.Within) -> masking.Within:
    """The same for building texts: hidden values are replaced by dots."""
    return replace(hidden, instead=DOTS)
