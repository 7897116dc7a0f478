"""What follows from a proposal without a person: promoted steps, automatic models, and where a person has the form after all."""

from datetime import timedelta
from typing import Any

import pytest

from console import log, runs
from tests.company import Company
from tests.support.proposing_runs import (
    at,
    call_of,
    failed,
    hand_in,
    holds,
    made,
    outcomes,
    row,
    source,
    value,
)

pytestmark = pytest.mark.lengthy


def test_a_promoted_step_is_done_where_all_is_certain(company: Company) -> None:
    run_id = at(company, "decide")
    call = call_of(company, run_id)
    made(call, outcome="approve", mode="auto")
    told = company.told(run_id)
    assert told["status"] == "completed"
    chosen = next(event for event in log.events_of(run_id) if event.type == "outcome_chosen")
    assert (chosen.open["maker"], chosen.open["outcome"], chosen.body["actor"]["kind"]) == (
        "ai",
        "approve",
        "system",
    )
    assert (row(call)["mode"], row(call)["submitted_outcome"], row(call)["submitted_by"]) == (
        "auto",
        "approve",
        None,
    )
    holds(run_id)


DOUBTS: list[tuple[str, dict[str, Any]]] = [
    ("not sure", {"outcome": "approve", "confidence": "medium"}),
    ("flagged", {"outcome": "approve", "flags": ["suspicious_content"]}),
    ("dropped", {"outcome": "approve", "dropped": [{"name": "code", "reason": "not_in_source"}]}),
    ("no choice", {}),
    ("a field is lacking", {"outcome": "reject"}),
    ("no such choice", {"outcome": "nonsense"}),
    ("only shown", {"outcome": "approve", "mode": "assist"}),
]


@pytest.mark.parametrize(("why", "more"), DOUBTS, ids=[why for why, _ in DOUBTS])
def test_a_promoted_step_stays_with_a_person_otherwise(
    company: Company, why: str, more: dict[str, Any]
) -> None:
    assert why
    run_id = at(company, "decide")
    made(call_of(company, run_id), **({"mode": "auto"} | more))
    told = company.told(run_id)
    assert (told["status"], told["current"]["step"], told["holder"]) == (
        "waiting_person",
        "decide",
        company.olivia.id,
    )
    holds(run_id)


def test_a_promoted_step_is_left_alone_once_something_was_typed(company: Company) -> None:
    run_id = at(company, "decide")
    told = company.told(run_id)
    runs.draft(company.olivia, run_id, step="decide", revision=told["revision"], values={"code": "x"})
    made(told["current"]["proposal"]["call"], outcome="approve", mode="auto")
    assert company.told(run_id)["current"]["draft"]["values"] == {"code": "x"}


def test_only_steps_that_change_nothing_outside_are_promoted(company: Company) -> None:
    run_id = at(company, "rate")
    made(call_of(company, run_id), value("risk", "low"), mode="auto")
    assert company.told(run_id)["current"]["step"] == "rate"


# ------------------------------------------------------------------------------------------------------------- the model's own


TICKS = [
    value("flags.pep", True, "high", source("desk", id="s2")),
    value("flags.media", True, "medium"),
    value("flags.expired", False),
]


def test_ticks_come_back_as_their_list(company: Company) -> None:
    run_id = at(company, "flags")
    call = call_of(company, run_id)
    made(call, *TICKS, value("summary", "Two things."))
    proposal = company.told(run_id)["current"]["proposal"]
    flags = next(each for each in proposal["fields"] if each["name"] == "flags")
    assert (flags["value"], flags["confidence"]) == (["pep", "media"], "medium")
    assert [(tick["value"], tick["confidence"], tick["sources"][0]["id"]) for tick in flags["ticks"]] == [
        *(("pep", "high", "s2"), ("media", "medium", "s1"))
    ]
    told = hand_in(company, run_id, values={"flags": ["pep", "expired"], "summary": "Two things."})
    assert outcomes(call) == {"flags": "edited", "summary": "accepted"}
    output = told["context"]["flags"]
    assert (output["origin"], output["flags"]) == ("person", ["pep", "expired"])
    assert list(output["references"]["flags"]) == ["pep"]
    assert output["references"]["summary"][0]["id"] == "s1"
    holds(run_id)


def test_an_automatic_model_is_waited_for(company: Company) -> None:
    run_id = at(company, "rate", llm="automatic")
    told = hand_in(company, run_id)
    assert (told["status"], told["current"]["step"]) == ("waiting_event", "flags")
    assert told["current"]["waiting"]["for"] == "event"
    call = told["current"]["proposal"]["call"]
    assert told["current"]["waiting"]["key"] == call
    found = runs.proposal_context(call)
    assert found is not None
    assert found.person.id == company.olivia.id
    made(call, *TICKS, value("summary", "Two things."))
    told = company.told(run_id)
    assert (told["status"], told["current"]["step"]) == ("waiting_person", "decide")
    assert (told["context"]["flags"]["origin"], told["context"]["flags"]["flags"]) == (
        "llm",
        ["pep", "media"],
    )
    assert list(told["context"]["flags"]["references"]["flags"]) == ["pep", "media"]
    assert next(each for each in told["attempts"] if each["step"] == "flags")["by"] is None
    holds(run_id)


FAULTS: list[tuple[str, str]] = [
    ("failed", "timeout"),
    ("failed", "overloaded"),
    ("declined", "nothing_supported"),
    ("off", "no_key"),
    ("failed", "budget"),
    ("failed", "breaker"),
    ("failed", "refused"),
]


@pytest.mark.parametrize(("status", "code"), FAULTS)
def test_without_an_answer_a_person_has_the_form(company: Company, status: str, code: str) -> None:
    run_id = at(company, "rate", llm="automatic")
    call = hand_in(company, run_id)["current"]["proposal"]["call"]
    failed(call, code, status, "That is why.")
    told = company.told(run_id)
    assert (told["status"], told["current"]["take_over"]) == (
        "waiting_person",
        {"code": code, "message": "That is why."},
    )
    assert [field["name"] for field in told["current"]["form"]["fields"]] == ["flags", "summary"]
    holds(run_id)
    told = hand_in(company, run_id, values={"flags": []}, handled_manually=True)
    assert told["current"]["step"] == "decide"
    holds(run_id)


@pytest.mark.parametrize(
    ("code", "more"),
    [
        (
            "suspicious_content",
            {"flags": ["suspicious_content"], "banner": "Text in the note reads like instructions."},
        ),
        ("unsure", {"dropped": [{"name": "summary", "reason": "not_in_source"}]}),
    ],
)
def test_an_answer_in_doubt_is_a_persons(company: Company, code: str, more: dict[str, Any]) -> None:
    run_id = at(company, "rate", llm="automatic")
    made(hand_in(company, run_id)["current"]["proposal"]["call"], *TICKS, **more)
    told = company.told(run_id)
    assert (told["status"], told["current"]["take_over"]["code"]) == ("waiting_person", code)
    assert told["current"]["proposal"]["status"] == "ready"
    holds(run_id)


def test_a_wait_without_anybody_ends_by_itself(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = at(company, "rate", llm="automatic")
    hand_in(company, run_id)
    now = log.now()
    monkeypatch.setattr(log, "now", lambda: now + timedelta(seconds=10))
    assert runs.fail_overdue_proposals() >= 1
    told = company.told(run_id)
    assert (told["status"], told["current"]["take_over"]["code"]) == ("waiting_person", "timeout")
