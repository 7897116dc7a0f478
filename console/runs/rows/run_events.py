"""Events of a run as entries of the log, and the other way round."""

from collections.abc import Sequence

from console import log
from console.core.actor import Actor
from console.core.run import Event, Run
from console.db.ids import uuid7_texts
from console.workflows import Definition

ENGINE = Actor("system", "sys_engine", "Handrail")


def links(
    actor: Actor, definition: Definition, run: Run, events: Sequence[Event], *, seq: int = 0, head: bytes = b"", plain: bool = False
) -> list[log.Link]:
    """The events as links of the run's chain, after event number `seq` with the hash `head`.

    `run` is the run after the events. `plain` says that the values of the events are in the log's form already, as `as_stored` makes them.
    """
    target = {} if run.collection is None else {"target": {"source": None, "coll": run.collection, "key": run.record}}
    workflow = {"id": definition.id, "version": definition.number, "hash": definition.hash}
    person, engine = (log.frame_of(who, run.team, workflow=workflow, label=run.label, **target) for who in (actor, ENGINE))
    made = []
    for number, (event, id_) in enumerate(zip(events, uuid7_texts(len(events)), strict=True), seq + 1):
        fact = log.Fact(id_, event.type, event.at, event.open, event.sealed, event.step, told=plain)
        made.append(log.link(fact, run.id, number, head, person if event.by else engine))
        head = made[-1].leaf
    return made


def as_stored(event: Event) -> Event:
    """The event with its values in the form that a reader of the log will find: numbers as texts, and so on."""
    return Event(event.type, event.at, log.body.plain(event.open), log.body.plain(event.sealed, -2), event.step, event.by)


def as_event(stored: log.Stored) -> Event:
    """An entry of the log as an event of the run."""
    actor, step = stored.body["actor"], stored.body["step"]
    by = actor["id"] if actor["kind"] in ("user", "key") else None
    return Event(stored.type, stored.at, stored.open, stored.values, (step["id"], step["attempt"]) if step else None, by, stored.n)
