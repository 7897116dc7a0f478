"""What a person handed in together with a choice: the values of the step, masked as in the activity log. A bounded number of statements for all of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from console.activity.event_list import ActivityRow, Reader, mask_rows
from console.log import event_lists

KINDS = ("step_submitted", "step_completed")
Place = tuple[str, int, str]
"""Run, number of an event in it, step."""


def with_choices(reader: Reader, choices: Sequence[ActivityRow]) -> dict[str, ActivityRow]:
    """Id of each event of a choice → the event in which its step was handed in."""
    events = _near(reader, [(str(row.json["run"]), row.event.n, str(row.json["step"])) for row in choices])
    by_attempt = {(row.json["run"], row.json["step"], row.json["attempt"]): row for row in events}
    found = {
        row.event.id: by_attempt.get((row.json["run"], row.json["step"], row.json["attempt"]))
        for row in choices
    }
    return {event: row for event, row in found.items() if row is not None}


def outputs_before(
    reader: Reader, places: Sequence[Place]
) -> Mapping[tuple[str, str], Sequence[tuple[int, Mapping[str, Any]]]]:
    """(Run, step) → (number of the event, output) of the step as it was last done before one of the events, by number."""
    found: dict[tuple[str, str], list[tuple[int, Mapping[str, Any]]]] = {}
    for row in sorted(_near(reader, places, earlier=True), key=lambda each: each.event.n):
        data = row.json["data"]
        found.setdefault((row.json["run"], row.json["step"]), []).append(
            (row.event.n, data.get("output") or data.get("values") or {})
        )
    return found


def _near(reader: Reader, places: Sequence[Place], *, earlier: bool = False) -> list[ActivityRow]:
    rows = event_lists.nearest(sorted(set(places)), KINDS, reader.within, earlier=earlier) if places else []
    return mask_rows(reader, reader.find(rows))
