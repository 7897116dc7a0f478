"""When a schedule fires, in the settings of its workflow: how often in a list, the time and the days below it, and the next times."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from console import log
from console.core import schedule
from console.core.documents.schedule_presets import DAYS, LAST, NEEDED, STEPS
from console.core.documents.triggers import Trigger
from console.core.schedule import Coming
from console.views.editor.step_form import Box, Path

NEXT = 5
OFTEN: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "minutes": ("Every few minutes", {"minutes": 15}),
    "hour": ("Every hour", {}),
    "day": ("Every day", {"at": "09:00"}),
    "weekday": ("Monday to Friday", {"at": "09:00"}),
    "week": ("Every week", {"on": ["mon"], "at": "09:00"}),
    "month": ("Every month", {"day": 1, "at": "09:00"}),
}
"""How often -> its words, and what the other parts begin with."""
LABELS = {
    "minutes": "Minutes from one to the next",
    "minute": "Minutes past the hour",
    "at": "At",
    "on": "On",
    "day": "On day",
}
FIELDS = "As cron fields"


def boxes(form: Any, given: Mapping[str, Any], place: Path) -> list[Box]:
    """The list of how often, and a box for each other part of what is chosen. `given` is the trigger as the draft has it, at `place`.

    Choosing writes the trigger as a whole: a preset takes the place of the cron fields, and they its.
    """
    had = given.get("preset")
    preset: Mapping[str, Any] = had if isinstance(had, Mapping) else {}
    chosen, rest = (
        str(preset.get("every") or ""),
        {name: value for name, value in given.items() if name not in ("preset", "cron")},
    )

    def written(every: str) -> str:
        if every == chosen:
            return json.dumps(given)
        begun = {name: preset.get(name, value) for name, value in OFTEN[every][1].items()}
        return json.dumps({**rest, "preset": {"every": every, **begun}})

    fields = json.dumps(
        given if not chosen else {**rest, "cron": given.get("cron") or _fields(given) or "0 9 * * *"}
    )
    options = [*((written(every), words) for every, (words, _) in OFTEN.items()), (fields, FIELDS)]
    head: Box = form.box("preset", {"type": "string", "description": ""}, "", (*place, "preset"), needed=True)
    often = replace(
        head,
        label="How often",
        control="choice_of_json",
        path=json.dumps(place),
        value=json.dumps(given),
        options=options,
    )
    names = (*NEEDED.get(chosen, ()), *(["minute"] if chosen == "hour" else []))
    return [often, *(_part(form, name, preset.get(name), (*place, "preset", name)) for name in names)]


def _part(form: Any, name: str, value: Any, path: Path) -> Box:
    schema: dict[str, Any] = {
        "type": "string",
        "description": "Such as 09:00, by the clock of the zone below." if name == "at" else "",
    }
    if name == "minute":
        schema = {"type": "integer", "description": "0 to 59. Empty: on the hour."}
    made: Box = form.box(name, schema, value, path, needed=name != "minute")
    box = replace(made, label=LABELS[name])
    match name:
        case "on":
            return replace(
                box,
                control="many",
                value=value or [],
                options=[(day, schedule.DAYS[number % 7]) for number, day in enumerate(DAYS, 1)],
                default="",
            )
        case "minutes":
            return replace(
                box,
                control="choice_of_json",
                value=json.dumps(value),
                options=[(str(step), str(step)) for step in STEPS],
            )
        case "day":
            days = [*((str(day), str(day)) for day in range(1, 32)), (json.dumps(LAST), "the last")]
            return replace(
                box,
                control="choice_of_json",
                value=json.dumps(value),
                options=days,
                help="A month without that day is left out." if value in (29, 30, 31) else "",
            )
    return box


def next_times(given: Mapping[str, Any]) -> Sequence[Coming]:
    """The next times of the trigger as the draft has it; none while they cannot be told."""
    fields, zone = _fields(given), str(given.get("zone") or "UTC")
    if fields is None or schedule.wrong_cron(fields) or schedule.wrong_zone(zone):
        return ()
    return schedule.coming(fields, zone, log.now(), NEXT)


def _fields(given: Mapping[str, Any]) -> str | None:
    try:
        return Trigger.model_validate(dict(given)).fields
    except ValidationError:
        return None
