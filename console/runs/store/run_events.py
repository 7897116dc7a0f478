"""Entries of the log read back as events of a run."""

from console import log
from console.core.actor import Actor
from console.core.run import Event

ENGINE = Actor("system", "sys_engine", "Handrail")


def as_event(stored: log.Stored) -> Event:
    """An entry of the log as an event of the run."""
    actor, step = stored.body["actor"], stored.body["step"]
    by = actor["id"] if actor["kind"] in ("user", "key") else None
    return Event(
        stored.type,
        stored.at,
        stored.open,
        stored.values,
        (step["id"], step["attempt"]) if step else None,
        by,
        stored.n,
    )
