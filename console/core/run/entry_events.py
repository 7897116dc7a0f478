"""One event for an automatic step of a run that nobody holds: what came of the step tells that the run entered it, and when.

A list of events with separate entries folds to the same run, but for the number of events.
"""

from collections.abc import Sequence

from console.core.moments import moment_text
from console.core.run.state import Event

TELLING = frozenset(
    {"step_completed", "step_submitted", "timer_set", "message_asked", "tag_added", "tag_removed"}
)
PLAIN = TELLING | {
    "run_started",
    "step_entered",
    "outcome_chosen",
    "timer_fired",
    "event_awaited",
    "event_arrived",
    "run_completed",
}
"""Lists with any other event are left as they are: what it does may name the number of an event."""
NAMES_NO_NUMBER = frozenset({"message", "event"})
"""What a run may wait for under a key that no number of an event is part of."""


def with_told_entries(events: Sequence[Event]) -> list[Event]:
    """The events of one transition, without the entries that the event behind them tells as `entered`."""
    if any(
        event.type not in PLAIN or event.open.get("for", "event") not in NAMES_NO_NUMBER for event in events
    ):
        return list(events)
    made: list[Event] = []
    for event in events:
        if len(made) > 1 and _may_be_told(made[-1], made[-2]) and _tells(event, made[-1]):
            entry = made.pop()
            made.append(event._replace(open={**event.open, "entered": moment_text(entry.at)}))
        else:
            made.append(event)
    return made


def _may_be_told(entry: Event, before: Event) -> bool:
    """Whether the entry is one that needs no event of its own: an automatic step, for the first time, at once behind the event `before`."""
    data = entry.open
    plain = (
        entry.type == "step_entered"
        and not entry.sealed
        and data["status"] == "running"
        and data["replaces"] is None
    )
    return (
        plain
        and "iteration" not in data
        and before.at == entry.at
        and before.open.get("revision") == data.get("revision")
    )


def _tells(event: Event, entry: Event) -> bool:
    """Whether the event is what came of the step that was entered, without a person."""
    return (
        event.type in TELLING
        and event.by is None
        and event.step == entry.step
        and event.open.get("n") == entry.open["n"]
    )
