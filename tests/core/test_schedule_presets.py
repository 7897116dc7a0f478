"""Presets of schedules: as cron fields, back, in words, and what is wrong with each by its part."""

from datetime import datetime
from typing import Any

from console.core import schedule
from console.core.documents import triggers_check
from console.core.documents.references import Known
from console.core.documents.schedule_presets import STEPS, Preset, preset_of
from console.core.documents.triggers import Trigger
from tests.tables import cases

HOUSE = Known({}, frozenset(), frozenset(), {}, None, None, None)

EVERY: list[tuple[dict[str, Any], str, str]] = [
    ({"every": "minutes", "minutes": 5}, "*/5 * * * *", "Every 5 minutes"),
    ({"every": "minutes", "minutes": 1}, "* * * * *", "Every minute"),
    ({"every": "hour", "minute": 0}, "0 * * * *", "Every hour"),
    ({"every": "hour", "minute": 20}, "20 * * * *", "Every hour at 20 minutes past"),
    ({"every": "day", "at": "07:30"}, "30 7 * * *", "Every day at 07:30"),
    ({"every": "weekday", "at": "09:00"}, "0 9 * * 1-5", "Monday to Friday at 09:00"),
    (
        {"every": "week", "on": ["mon", "sun"], "at": "23:59"},
        "59 23 * * 1,7",
        "Every Monday and Sunday at 23:59",
    ),
    ({"every": "month", "day": 15, "at": "00:00"}, "0 0 15 * *", "On day 15 of each month at 00:00"),
    (
        {"every": "month", "day": "last", "at": "18:00"},
        "0 18 L * *",
        "On the last day of each month at 18:00",
    ),
]


@cases(("preset", "fields", "words"), EVERY)
def test_a_preset_is_fields_and_words_and_comes_back(preset: dict[str, Any], fields: str, words: str) -> None:
    assert (
        Preset.model_validate(preset).cron,
        schedule.wrong_cron(fields),
        schedule.spoken(fields),
        preset_of(fields),
    ) == (
        fields,
        None,
        words,
        preset,
    )


def test_what_no_preset_says_stays_fields() -> None:
    for fields in (
        "0 9 1 * 1",
        "0 9 * 2 *",
        "*/7 * * * *",
        "0 9,17 * * *",
        "0 9 * * mon#1",
        "5-10 * * * *",
        "0 9 1,15 * *",
        "nonsense",
    ):
        assert preset_of(fields) is None, fields
    assert preset_of("0 9 * * mon-fri") == {"every": "weekday", "at": "09:00"}
    assert preset_of("0 9 * * sun,mon") == {"every": "week", "on": ["mon", "sun"], "at": "09:00"}
    assert all(preset_of(f"*/{step} * * * *") for step in STEPS if step > 1)


@cases(
    ("preset", "part"),
    [
        ({"every": "minutes"}, "minutes"),
        ({"every": "minutes", "minutes": 7}, "minutes"),
        ({"every": "minutes", "minutes": 0}, "minutes"),
        ({"every": "day"}, "at"),
        ({"every": "day", "at": "9:00"}, "at"),
        ({"every": "day", "at": "24:00"}, "at"),
        ({"every": "week", "at": "09:00"}, "on"),
        ({"every": "week", "on": [], "at": "09:00"}, "on"),
        ({"every": "month", "at": "09:00"}, "day"),
        ({"every": "hour", "at": "09:00"}, "at"),
    ],
)
def test_what_is_wrong_is_named_by_its_part(preset: dict[str, Any], part: str) -> None:
    raw = {
        "run_as": "robot@fernwick.test",
        "triggers": [{"id": "night", "kind": "schedule", "preset": preset}],
    }
    found = triggers_check.problems(raw, HOUSE)
    assert [problem.field for problem in found] == [f"triggers[0].preset.{part}"]
    assert Trigger.model_validate(raw["triggers"][0]).fields is None


def test_fields_and_a_preset_exclude_each_other_and_neither_is_nothing() -> None:
    def fields(**given: Any) -> list[str]:
        raw = {"run_as": "robot@fernwick.test", "triggers": [{"id": "night", "kind": "schedule", **given}]}
        return [problem.field for problem in triggers_check.problems(raw, HOUSE)]

    preset = {"every": "day", "at": "09:00"}
    assert fields(preset=preset) == []
    assert fields(preset=preset, cron="0 9 * * *") == ["triggers[0].cron"]
    assert fields() == ["triggers[0].cron"]
    assert fields(cron="0 9 *") == ["triggers[0].cron"]
    raw = {"triggers": [{"id": "hook", "kind": "webhook", "preset": preset}]}
    assert [problem.field for problem in triggers_check.problems(raw, HOUSE)] == ["triggers[0].preset"]


def test_the_next_times_say_where_the_clocks_are_turned() -> None:
    march = datetime.fromisoformat("2027-03-26T12:00:00+00:00")
    told = [
        (each.at.isoformat()[:16], each.put_off, each.turned)
        for each in schedule.coming("30 2 * * *", "Europe/Berlin", march, 3)
    ]
    assert told == [
        ("2027-03-27T01:30", False, ""),
        ("2027-03-28T01:00", True, "forward"),
        ("2027-03-29T00:30", False, ""),
    ]
    october = datetime.fromisoformat("2027-10-30T12:00:00+00:00")
    assert [each.turned for each in schedule.coming("0 9 * * *", "Europe/Berlin", october, 2)] == ["back", ""]
    assert [each.turned for each in schedule.coming("0 9 * * *", "UTC", october, 2)] == ["", ""]
