"""A decision whose maker is the AI: alone where the step was promoted, nothing is at stake and all is certain; else a person's, who is told so."""

from typing import Any

import pytest

from console import log, runs, steps, workflows
from console.ai.proposals import ladder
from console.authoring import publication
from console.core.documents.workflow_check import check
from tests.ai.proposals import hostile
from tests.ai.proposals.conftest import House, denied
from tests.support import proposing_runs as answers
from tests.support.acting import imported
from tests.support.engine import step

CHOICE: dict[str, Any] = {
    "maker": "ai",
    "options": [
        {"value": "approve", "label": "Approve"},
        {"value": "reject", "label": "Reject", "fields": ["code"]},
    ],
    "form": [{"name": "code", "label": "Code", "type": "text"}],
}
SURE = {"supports": {"outcome": {"approve": "record.balance > 10"}}}
PAY: dict[str, Any] = {
    "format": 1,
    "id": "customer.pay",
    "title": "Pay",
    "collection": "customer",
    "irreversible": True,
    "form": [{"name": "risk", "label": "Risk", "type": "text"}],
    "effects": [{"name": "paid", "summary": "Notes it", "kind": "sql_write", "set": {"risk": "input.risk"}}],
}


def document(leads_to: str = "after", **more: Any) -> dict[str, Any]:
    pays = [step("pay", "trigger_action", "after", {"action": "customer.pay"})] if leads_to == "pay" else []
    decide = step("decide", "decision", "after", CHOICE) | {"ai": SURE} | more
    decide["next"] = {"approve": leads_to, "reject": "after"}
    steps = [
        step("start", "start", "decide"),
        decide,
        *pays,
        step("after", "guidance", "end", {"text": "{{ steps.decide.maker }}"}),
        step("end", "end", None),
    ]
    common = {
        "format": 1,
        "slug": "deciding",
        "title": "Deciding",
        "collection": "customer",
        "team": "operations",
    }
    return common | {"steps": steps}


def begin(house: House, *, promoted: bool = True, leads_to: str = "after") -> str:
    """A run that has come to the decision."""
    imported(PAY)
    workflows.import_file(document(leads_to), publish=True)
    if promoted:
        ladder.settle(
            house.company.mona, workflows.live("deciding").id, "decide", "auto", "For the test", "", {}
        )
    return runs.start(house.company.olivia, "deciding", "customer", "1")


def test_where_it_was_promoted_the_ai_decides_and_says_why(house: House) -> None:
    run_id = begin(house)
    told = house.company.told(run_id)
    assert (told["status"], told["current"]["waiting"]["for"]) == ("waiting_event", "event")
    answers.made(answers.call_of(house.company, run_id), outcome="approve", mode="auto")
    told = house.company.told(run_id)
    assert told["current"]["step"] == "after"
    left = told["context"]["decide"]
    assert (left["option"], left["maker"], left["rationale"], left["sources"][0]["id"]) == (
        "approve",
        "ai",
        "Why.",
        "s1",
    )
    denied(house.company.tom, "field:customer/email", "read")
    seen = house.company.told(run_id, "tom")["context"]["decide"]
    assert (seen["option"], seen["maker"], seen["rationale"], seen["sources"]) == (
        "approve",
        "ai",
        None,
        None,
    )
    chosen = next(event for event in log.events_of(run_id) if event.type == "outcome_chosen")
    assert (
        chosen.open["maker"],
        chosen.open["outcome"],
        chosen.open["label"],
        chosen.body["actor"]["kind"],
    ) == (
        "ai",
        "approve",
        "Approve",
        "system",
    )
    sentences = [each["sentence"] for each in runs.events(house.company.olivia, run_id)[0]]
    assert any(each.startswith("The AI chose “Approve”") for each in sentences)
    assert runs.replay(house.company.olivia, run_id).json["run"]["context"]["decide"]["maker"] == "ai"
    answers.holds(run_id)


def test_before_it_was_promoted_a_person_decides_with_the_proposal_beside_it(house: House) -> None:
    run_id = begin(house, promoted=False)
    told = house.company.told(run_id)
    assert (told["status"], told["current"]["step"]) == ("waiting_person", "decide")
    assert told["current"]["take_over"]["message"] == "The AI does not decide alone here yet: please decide."
    house.model.obey(hostile.answer({"outcome": "approve"}, ["s1"]))
    assert house.proposed(run_id)["outcome"] == "approve"
    told = answers.hand_in(house.company, run_id, outcome="approve")
    assert (told["context"]["decide"]["option"], told["context"]["decide"]["maker"]) == ("approve", "user")


def test_where_something_is_at_stake_a_person_decides_whatever_was_promoted(house: House) -> None:
    run_id = begin(house, leads_to="pay")
    told = house.company.told(run_id)
    assert (told["status"], told["current"]["step"]) == ("waiting_person", "decide")
    assert "cannot be recalled" in told["current"]["take_over"]["message"]
    workflows.import_file(document("pay"))
    found = publication.impact(house.company.mona, "deciding").problems
    assert [(each.step, each.field, each.severity) for each in found if each.field == "config.maker"] == [
        ("decide", "config.maker", "warning")
    ]


DOUBTS: list[tuple[str, dict[str, Any]]] = [
    ("not sure", {"outcome": "approve", "confidence": "medium"}),
    ("flagged", {"outcome": "approve", "flags": ["suspicious_content"]}),
    ("dropped", {"outcome": "approve", "dropped": [{"name": "code", "reason": "not_in_source"}]}),
    ("no choice", {}),
    ("a field is lacking", {"outcome": "reject"}),
    ("only shown", {"outcome": "approve", "mode": "assist"}),
    ("hidden from the person", {"outcome": "approve", "mode": "blind"}),
]


@pytest.mark.parametrize(("why", "more"), DOUBTS, ids=[why for why, _ in DOUBTS])
def test_an_answer_that_is_not_certain_leaves_it_to_a_person(
    house: House, why: str, more: dict[str, Any]
) -> None:
    assert why
    run_id = begin(house)
    answers.made(answers.call_of(house.company, run_id), **({"mode": "auto"} | more))
    told = house.company.told(run_id)
    assert (told["status"], told["current"]["step"], told["holder"]) == (
        "waiting_person",
        "decide",
        house.company.olivia.id,
    )
    assert told["current"]["take_over"]["message"] == "The AI does not decide this case alone: please decide."
    told = answers.hand_in(house.company, run_id, outcome="approve")
    assert told["context"]["decide"]["maker"] == "user"
    answers.holds(run_id)


def test_a_call_that_fails_leaves_it_to_a_person(house: House) -> None:
    run_id = begin(house)
    answers.failed(answers.call_of(house.company, run_id), code="timeout")
    told = house.company.told(run_id)
    assert (told["status"], told["current"]["step"]) == ("waiting_person", "decide")


@pytest.mark.parametrize("ai", [None, {"mode": "off"}, {"outcome": False}])
def test_where_the_ai_is_not_asked_for_the_choice_the_document_is_refused(ai: dict[str, Any] | None) -> None:
    found = check(document(ai=ai), steps.all_types())
    assert [(each.step, each.field) for each in found if each.severity == "error"] == [
        ("decide", "config.maker")
    ]
