"""Which runs a reader may count, by the records that they are about. For lists of runs, see `lists`."""

from collections.abc import Collection, Iterable, Mapping

from console import access, records, workflows
from console.core.actor import Actor
from console.errors import ConsoleError

MOST_COUNTED = 20_000
"""The newest so many runs are counted for a reader who sees only a part of their records."""


def limited_collections(actor: Actor) -> list[str]:
    """Collections with workflows of which the actor sees only a part of the records."""
    about = {known.collection for known in workflows.all_known() if known.collection}
    return sorted(name for name in about if not access.scope_for(actor, name, "read").unlimited)


def visible_records(actor: Actor, wanted: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    """For each collection the keys that the actor sees, in one statement for 400 of them."""
    found: dict[str, set[str]] = {}
    for collection, keys in wanted.items():
        try:
            found[collection] = records.visible_keys(collection, sorted(keys), access.scope_for(actor, collection, "read"))
        except ConsoleError:
            found[collection] = set()  # the source is down: for actors with a scope these are not counted
    return found


def countable(actor: Actor, runs: Iterable[tuple[str, str | None, str | None]]) -> list[str]:
    """The ids of the runs (id, collection, record) whose records the actor sees; a run about no record counts."""
    every = list(runs)
    limited = set(limited_collections(actor))
    wanted: dict[str, set[str]] = {}
    for _, collection, key in every:
        if collection in limited and key is not None:
            wanted.setdefault(str(collection), set()).add(key)
    visible = visible_records(actor, wanted)
    return [run for run, collection, key in every if collection not in limited or key in visible.get(str(collection), ())]
