"""Names of what can be sent: each kind of the log with a dot for its first `_`, and those that triggers know, such as `record.updated` and `run.failed`."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from console.automation.triggers import log_events
from console.core.events import KINDS

EVERY = "*"
TEST = "webhook.test"


def event_type_of(kind: str) -> str:
    """The name of a kind: `run.completed` for `run_completed`."""
    return kind.replace("_", ".", 1)


def _types() -> dict[str, frozenset[str]]:
    found = {event_type_of(kind): {kind} for kind in KINDS}
    for name, kinds in log_events.KINDS.items():
        found.setdefault(name, set()).update(kinds)
    return {name: frozenset(found[name]) for name in sorted(found)}


TYPES: Mapping[str, frozenset[str]] = MappingProxyType(_types())
"""Name → the kinds of the log that may tell of it."""


def kinds_of(names: Collection[str]) -> tuple[str, ...]:
    """The kinds that have to be read for these names, sorted; none of them for every kind."""
    return () if EVERY in names else tuple(sorted({kind for name in names for kind in TYPES[name]}))


def types_of(kind: str, values: Mapping[str, Any], changed: Collection[str] = ()) -> tuple[str, ...]:
    """The names of an event, the one that everybody gets first. `changed`: what the effect did to records that it tells of."""
    if kind == "record_changed" and values.get("result", log_events.DONE) == log_events.DONE:
        return log_events.CHANGES.get(str(values.get("effect")), "record.updated"), event_type_of(kind)
    named = (event_type_of(kind), log_events.RUN_ENDS.get(kind, event_type_of(kind)), *changed)
    return tuple(dict.fromkeys(named))


def wanted_type(types: tuple[str, ...], names: Collection[str]) -> str | None:
    """Under which of its names an event is sent to who wants these; None if it is not wanted."""
    return types[0] if EVERY in names else next((name for name in types if name in names), None)
