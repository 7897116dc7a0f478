"""Filters, exits and the rule of re-entry as sentences, and where they stand."""

import json
from pathlib import Path
from typing import Any

import pytest

from console import automation, records
from console.automation import spoken_triggers
from console.core.documents import condition_words, triggers_check
from console.core.documents.triggers import Trigger
from console.core.documents.triggers_check import EVENTS
from console.core.documents.workflow import Exit, read
from tests.company import DOCUMENT, Company
from tests.support.contact_club import found_club
from tests.tables import cases

ROOT = Path(__file__).parents[2]


@pytest.fixture
def club(company: Company) -> None:
    """Contacts, whose fields have labels."""
    found_club(company)


@cases(
    ("text", "words"),
    [
        ('event.tag == "lead"', "the tag is “lead”"),
        ("record.stage != 'lost' && record.worth >= 1000", "Stage is not “Lost” and Worth is at least 1,000"),
        ("former.stage == 'new'", "Stage before is “New”"),
        ("record.stage in ['engaged', 'no such']", "Stage is one of “Engaged”, “no such”"),
        ("event.run == null", "no run has done it"),
        (
            'event.channel == "sms" || event.outcome in ["no_answer", "busy"]',
            "the channel is “Text message” or the outcome is one of “No answer”, “Busy”",
        ),
        ('event.on == "message.received"', "a message came in from them"),
        ('event.on in ["consent.withdrawn", "call.ended"]', "they withdrew a consent or a call with them ended"),
        ('event.on == "tag.added" && (event.tag == "x" || record.email == null)', "a tag was added and (the tag is “x” or Email is empty)"),
        ("size(record.name) > 3", None),
    ],
)
def test_conditions_are_said_in_words_where_there_are_any(club: None, text: str, words: str | None) -> None:
    assert spoken_triggers.condition_words(text, "contact") == words


def test_every_row_that_an_event_or_an_exit_offers_is_taken_by_the_check_and_comes_back_as_a_row(club: None) -> None:
    collection = records.collection("contact")
    for on in EVENTS:
        offered = condition_words.compared_at_event(on, collection, [("care-review", "Care review")])
        assert {f"event.{name}" for name in condition_words.TELLS.get(on, ())} <= set(offered)
        for path in offered:
            trigger = {"id": "a", "kind": "event", "on": on, "filter": f"{path} != null"}
            found = triggers_check.problems(
                {"collection": "contact", "run_as": "a@b.example", "triggers": [trigger]}, None, {"contact": collection}, {}
            )
            assert [each for each in found if each.severity == "error"] == [], (on, path)
            assert condition_words.rows(trigger["filter"], offered) is not None
    leaving = condition_words.compared_by_exits(DOCUMENT, collection)
    rows = condition_words.rows('event.on == "consent.withdrawn" && record.stage == "lost"', leaving)
    assert rows is not None
    assert [(row.field, row.value) for row in rows.rows] == [("event.on", "Consent was withdrawn"), ("record.stage", "Lost")]


def test_a_trigger_says_whom_it_lets_in(club: None) -> None:
    event = Trigger.model_validate({"id": "a", "kind": "event", "on": "tag.added", "filter": 'event.tag == "lead"'})
    assert automation.whom_words(event, "contact") == ["Only where the tag is “lead”."]
    due = Trigger.model_validate(
        {"id": "b", "kind": "schedule", "cron": "0 9 * * *", "segment": "engaged", "filter": "size(record.name) > 3"}
    )
    assert automation.whom_words(due, "contact") == [
        "Everybody in the segment “Engaged” of Contacts is enrolled.",
        "Only where a condition holds that is written in the file.",
    ]


@cases(
    ("sort", "said"),
    [("-worth", "is enrolled, by Worth, highest first."), ("name", "is enrolled, by Name, lowest first."), (None, "is enrolled.")],
)
def test_a_schedule_that_enrols_a_segment_says_in_which_order(club: None, sort: str | None, said: str) -> None:
    due = Trigger.model_validate({"id": "b", "kind": "schedule", "cron": "0 9 * * *", "segment": "engaged", "sort": sort})
    [words] = automation.whom_words(due, "contact")
    assert words == f"Everybody in the segment “Engaged” of Contacts {said}"


def test_exits_of_the_demo_have_words_and_every_event_does() -> None:
    documents = [json.loads(path.read_text()) for path in (ROOT / "workflows").glob("*.json")]
    exits = [Exit.model_validate(each) for document in documents for each in document.get("exits", ())]
    assert exits
    assert all(": when " in automation.exit_words(each, None) for each in exits)
    assert set(EVENTS) <= set(spoken_triggers.HAPPENED)


@cases(
    ("rule", "words"),
    [("never", "Nobody is enrolled twice"), ({"days": 1}, "1 day later"), ({"days": 60}, "60 days later"), (None, "again at once")],
)
def test_the_rule_of_coming_again_is_a_sentence(rule: Any, words: str) -> None:
    assert words in automation.again_words(read(DOCUMENT | {"reenrol": rule}))


def test_a_condition_on_what_a_step_waited_for_says_it_in_words() -> None:
    config = {"event": "message.received", "also": ["call.ended"], "timeout": "P3D"}
    steps = {"pause": {"id": "pause", "type": "wait", "title": "Until they answer", "config": config}}
    assert condition_words.spoken('steps.pause.event == "message.received"', None, steps) == "“Until they answer” is A message came in"
