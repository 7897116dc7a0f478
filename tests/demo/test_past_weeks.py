"""The demo's past weeks: what forms are filled with, who moves the clock, and what a stand-in for a model proposes."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import console
from console import log
from console.demo import model, past_campaigns, past_runs

ROOT = Path(console.__file__).parent
FIELDS: list[dict[str, Any]] = [
    {"name": "because", "type": "choice", "required": True, "options": [{"value": "dob_mismatch", "label": "Date of birth differs"}]},
    {"name": "kept", "type": "text", "required": True, "value": "as it is"},
    {"name": "ticks", "type": "checklist", "options": [{"value": "a"}, {"value": "b"}]},
    {"name": "way", "type": "choice", "required": True, "options": ["first", "second"]},
    {"name": "note", "type": "long_text"},
    {"name": "shown", "type": "text", "readonly": True, "required": True},
]


def test_a_form_is_filled_with_what_its_fields_take() -> None:
    sent = past_runs.filled({"fields": FIELDS}, {"note": "Seen", "way": "third"})
    assert sent == {"because": "dob_mismatch", "ticks": ["a", "b"], "way": "first", "note": "Seen"}
    assert past_runs.filled(None, {}) == {}
    assert past_runs.usual_way(["reject", "approve"], used=[]) == "approve"
    assert past_runs.usual_way(["reject", "approve"], used=["approve", "approve"]) == "reject"
    assert past_runs.usual_way([], used=[]) is None


def test_proposals_are_taken_over_edited_and_left() -> None:
    proposal = {"fields": [{"name": "why", "value": "Two words"}, {"name": "band", "value": "low"}]}
    taken, edited, left = (past_runs.taken_over(proposal, number) for number in (1, 4, 9))
    assert taken == {"why": "Two words", "band": "low"}
    assert edited["band"] == "low"
    assert edited["why"] != "Two words"
    assert left == {}


def test_a_stand_in_proposes_what_a_source_says_and_nothing_else() -> None:
    def variant(name: str, value: dict[str, Any]) -> dict[str, Any]:
        told = {"name": {"const": name}, "value": value, "confidence": {"enum": ["high", "medium", "low"]}, "sources": {"type": "array"}}
        return {"type": "object", "properties": told}

    schema = {
        "properties": {
            "decision": {"type": "string", "enum": ["propose", "decline"]},
            "flags": {"type": "array", "items": {"enum": ["stale_data"]}},
            "fields": {"type": "array", "items": {"anyOf": [variant("city", {"type": "string"}), variant("colour", {"type": "string"})]}},
        }
    }
    prompt = '<source id="s1">{"city": "Kaunas"}</source><source id="s2">no JSON</source>'
    made = model.answer(prompt, schema)
    assert (made["decision"], made["flags"]) == ("propose", [])
    assert [(item["name"], item["value"], item["sources"]) for item in made["fields"]] == [("city", "Kaunas", ["s1"])]
    assert model.answer("", schema)["decision"] == "decline"


def test_the_clock_is_moved_by_the_demo_alone_and_put_back() -> None:
    log.move_clock(timedelta(days=-9))
    assert datetime.now(UTC) - log.now() > timedelta(days=8)
    log.move_clock(timedelta())
    assert abs(datetime.now(UTC) - log.now()) < timedelta(seconds=5)
    movers = {
        path.relative_to(ROOT).parts[0]
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "move_clock"
    }
    assert movers == {"demo"}


def test_a_schedule_of_the_past_fires_at_its_own_times_alone() -> None:
    def last(day: int, hour: int, minute: int) -> str:
        return past_campaigns._last_time(
            "*/15 8-18 * * 1-5", "Europe/Vilnius", datetime(2026, 11, day, hour, minute, tzinfo=UTC)
        ).isoformat()

    friday = "2026-11-27T16:45:00+00:00"
    assert [last(28, 2, 7), last(29, 23, 59), last(30, 5, 59)] == [friday] * 3, "on no Saturday or Sunday, and not before eight"
    assert (last(30, 6, 0), last(26, 12, 20)) == ("2026-11-30T06:00:00+00:00", "2026-11-26T12:15:00+00:00")
