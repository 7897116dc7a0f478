"""What a model does that nobody here wrote: it is told no value of a record, and what it answers cannot take more than people see going."""

import json
from typing import Any

import pytest

from console import workflows
from console.authoring import builder
from console.core import drafting
from tests.authoring.builder.test_builder import (
    RETITLE,
    answer,
    asked,
    fixture_endpoint,
    fixture_model,
    prompts,
)
from tests.company import Company
from tests.servers.model import Server

__all__ = ["fixture_endpoint", "fixture_model"]

pytestmark = pytest.mark.lengthy

CARE = "care-review"
KEPT = {
    "name": "Adaeze Okonkwo is told",
    "record": "1",
    "answers": {"rate": {"values": {"risk": "Her passport is P1234567"}}},
    "expect": {"path": ["start", "load"], "effects": [{"step": "note", "summary": "Mail to Adaeze in Cork"}]},
}


def with_kept_tests(company: Company) -> dict[str, Any]:
    """The draft with a dry run that somebody kept; what they typed stands in it."""
    revision = workflows.open_draft(company.mona, CARE).revision
    changes = [
        {"op": "set_document", "field": "tests", "value": [KEPT]},
        {"op": "set_document", "field": "tests[0].expect.path[1]", "value": "nowhere"},
    ]
    return workflows.edit(company.mona, CARE, revision, drafting.read_changes(changes)).document


def test_what_was_typed_into_a_kept_test_is_not_sent(company: Company, model: Server) -> None:
    with_kept_tests(company)
    model.obey(
        answer({"op": "set", "step": "rate", "field": "config.fields", "value": ["wrisk"]}), times=None
    )
    asked(company.mona, "Ask why.")
    sent = prompts(model)
    assert len(model.asked) == 2, "what is wrong goes back once"
    assert "Care review" in sent
    for value in ("Okonkwo", "P1234567", "Adaeze", "Cork", "nowhere"):
        assert value not in sent, value


def test_a_model_that_writes_the_whole_document_anew_leaves_the_kept_tests(
    company: Company, model: Server
) -> None:
    before = with_kept_tests(company)
    whole = {name: value for name, value in before.items() if name != "tests"} | {"title": "Cared for"}
    model.obey(answer({"op": "set_document", "value": whole}), times=None)
    turn = asked(company.mona)
    assert turn.after["title"] == "Cared for"
    assert turn.after["tests"] == before["tests"]


@pytest.mark.parametrize(
    "change",
    [
        {"op": "set_document", "field": "tests", "value_json": "[]"},
        {"op": "set_document", "field": "tests[0].name", "value_json": '"X"'},
        {"op": "set_document", "field": "tests", "value_json": ""},
    ],
)
def test_kept_tests_are_not_changed_by_words(company: Company, model: Server, change: dict[str, Any]) -> None:
    with_kept_tests(company)
    model.obey(answer(change), times=None)
    turn = asked(company.mona)
    assert not turn.answer.changes
    assert "1 part of the answer could not be read as a change." in turn.answer.text


def test_a_step_that_is_renamed_by_words_is_followed_by_the_kept_tests(
    company: Company, model: Server
) -> None:
    with_kept_tests(company)
    model.obey(answer({"op": "rename_step", "step": "rate", "id": "judge"}))
    after = asked(company.mona).after
    assert list(after["tests"][0]["answers"]) == ["judge"]


def test_a_proposal_that_takes_most_steps_away_says_how_many(company: Company, model: Server) -> None:
    steps = [step["id"] for step in workflows.open_draft(company.mona, CARE).document["steps"]]
    model.obey(answer(*({"op": "remove_step", "step": each} for each in steps)), times=None)
    turn = asked(company.mona)
    gone = len(steps) - len(turn.after["steps"])
    assert f"Take care: this removes {gone} of {len(steps)} steps." in turn.answer.text
    model.well()
    model.obey(answer({"op": "remove_step", "step": "read"}), times=None)
    assert "Take care" not in asked(company.mona).answer.text


LEFT_OUT: dict[str, dict[str, Any]] = {
    "Start: “Title” is too long: at most 200.": {
        "op": "set",
        "step": "start",
        "field": "title",
        "value": "T" * 201,
    },
    "“On error” must be one of 'ask', 'fail'.": {
        "op": "set_document",
        "field": "settings.on_error",
        "value": "never",
    },
    "“ID” does not have the form asked for: ": {
        "op": "add_step",
        "step": {"id": "__proto__", "type": "guidance", "config": {"text": "x"}},
        "after": "read",
    },
}


@pytest.mark.parametrize("told", LEFT_OUT)
def test_what_is_left_out_names_the_setting_and_no_long_text(
    company: Company, model: Server, told: str
) -> None:
    model.obey(answer(LEFT_OUT[told]), times=None)
    turn = asked(company.mona)
    assert not turn.answer.changes
    assert told.removeprefix("Start: ") in turn.answer.text
    assert max(map(len, turn.answer.text.splitlines())) < 200
    assert "This " not in turn.answer.text


UNFIT: dict[str, dict[str, Any]] = {
    "a zero byte": {"op": "set", "step": "start", "field": "title", "value": "a\x00b"},
    "a number without end": {"op": "set", "step": "start", "field": "at", "value_json": "[1e999, NaN]"},
    "a floating title": {"op": "set", "step": "start", "field": "title", "value_json": "1.5"},
    "a tool of its own": {"op": "publish", "slug": CARE},
    "a query": {"op": "run_sql", "query": "drop table run"},
    "a list in place of a name": {"op": "remove_step", "step": ["read"]},
    "a place that runs on": {"op": "set", "step": "start", "field": "config." + "a." * 60 + "b", "value": 1},
    "an unknown zone": {
        "op": "add_trigger",
        "trigger": {"id": "t", "kind": "schedule", "cron": "* * * * *", "zone": "Mars/Base"},
    },
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_no_draft_can_hold_is_left_out_and_said(company: Company, model: Server, name: str) -> None:
    before = workflows.open_draft(company.mona, CARE)
    model.obey(answer(UNFIT[name]), times=None)
    turn = asked(company.mona)
    assert turn.status == "ready"
    assert not turn.answer.changes
    assert "Not proposed, because it would not work here:" in turn.answer.text
    assert "Traceback" not in turn.answer.text
    assert workflows.open_draft(company.mona, CARE) == before


@pytest.mark.parametrize("told", ["\ud800", "\\ud800"])
def test_half_a_character_breaks_nothing(company: Company, model: Server, told: str) -> None:
    title = {"op": "set", "step": "start", "field": "title", "value_json": f'"Begin {told}"'}
    model.obey(
        answer(
            title,
            {"op": "set", "step": "read", "field": "nothing", "value": f"x{told}"},
            text=f"So {told}.",
            questions=[f"Why {told}?"],
        ),
        times=None,
    )
    turn = asked(company.mona)
    assert turn.status == "ready"
    assert turn.answer.text.startswith("So ")
    assert turn.after["steps"][0]["title"].startswith("Begin ")
    json.dumps([turn.answer.text, *turn.answer.questions, turn.after], ensure_ascii=False).encode()


def test_a_model_that_says_that_it_has_published_has_not(company: Company, model: Server) -> None:
    before = workflows.open_draft(company.mona, CARE).live
    model.obey(answer(text="I have published it and sent the refunds."))
    turn = asked(company.mona)
    assert (turn.status, list(turn.answer.changes)) == ("ready", [])
    assert workflows.open_draft(company.mona, CARE).live == before


def test_more_changes_than_are_taken_are_counted_as_one_part_and_the_rest_works(
    company: Company, model: Server
) -> None:
    many = [
        {
            "op": "add_step",
            "step": {
                "id": f"g{n}",
                "type": "guidance",
                "title": f"G {n}",
                "config_json": json.dumps({"text": "x"}),
                "next": [],
            },
            "after": "read",
            "outcome": "",
        }
        for n in range(400)
    ]
    model.obey(answer(*many), times=None)
    turn = asked(company.mona)
    assert len([each for each in turn.answer.changes if each["op"] == "add_step"]) == 300
    assert "1 part of the answer could not be read as a change." in turn.answer.text
    assert len(builder.parts(turn.document, turn.after)) == 301, "and the step before them leads to the first"


def test_a_trigger_that_is_proposed_is_told_with_what_it_changes(company: Company, model: Server) -> None:
    revision = workflows.open_draft(company.mona, CARE).revision
    add = {"op": "add_trigger", "trigger": {"id": "come", "kind": "webhook", "title": "When the desk calls"}}
    workflows.edit(company.mona, CARE, revision, drafting.read_changes([add]))
    model.obey(
        answer({"op": "set_trigger", "trigger": "come", "field": "enabled", "value": False}), times=None
    )
    turn = asked(company.mona)
    [part] = builder.parts(turn.document, turn.after)
    assert (part.key, part.kind, part.title) == ("trigger:come", "changed", "Trigger “When the desk calls”")
    assert [each.where for each in part.lines] == ["Enabled"]


def test_a_model_that_adds_the_start_that_is_there_sets_it(company: Company, model: Server) -> None:
    before = workflows.open_draft(company.mona, "care-review").document
    first = before["steps"][1]["id"]
    step = {
        "id": "start",
        "type": "start",
        "title": "Begin",
        "config_json": "{}",
        "next": [{"outcome": "default", "to": first}],
    }
    model.obey(answer({"op": "add_step", "step": step, "after": "", "outcome": ""}, RETITLE))
    turn = asked(company.mona)
    assert len(model.asked) == 1, "nothing was wrong with it"
    assert "Not proposed" not in turn.answer.text
    after = drafting.apply(before, drafting.read_changes(list(turn.answer.changes)))
    assert after["steps"][0] == before["steps"][0] | {"title": "Begin"}


def test_all_that_is_wrong_is_told_at_once(company: Company, model: Server) -> None:
    twice = {
        "op": "add_step",
        "step": {"id": "rate", "type": "guidance", "title": "Again", "config": {"text": "x"}},
        "after": "note",
    }
    odd = {
        "op": "add_step",
        "step": {"id": "odd", "type": "guidance", "title": "Odd", "config": {"shell": "rm"}},
        "after": "note",
    }
    model.obey(answer(twice, {"op": "connect", "step": "note", "to": "nowhere"}, odd, RETITLE), times=None)
    turn = asked(company.mona)
    for told in ("There is a step rate already", "There is no step nowhere", "shell"):
        assert told in model.asked[1].text, told
    assert "There is a step “Judge the risk” already" in turn.answer.text
    assert "Odd: " in turn.answer.text, "why the step came without its settings"
    assert "Judge the risk" in json.dumps(list(turn.answer.changes))
