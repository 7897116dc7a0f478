"""A second, critical look at a proposal: after it, beside it, and never in its way."""

from typing import Any

import pytest

from console import log, runs
from console.ai.prompt import PROMPT_VERSION, SECOND_VERSION
from console.infra import jobs
from console.infra.db.engine import fetch
from tests.ai.proposals.conftest import House, triage
from tests.jobs import do


@pytest.fixture
def looking(house: House) -> House:
    """The same, at a step that wants a second look."""
    triage({"second_look": True})
    return house


def calls(run_id: str) -> list[dict[str, Any]]:
    return [
        told
        for (told,) in fetch(
            "select to_jsonb(c) from console.ai_call c where run = %s order by at, id", (run_id,)
        )
    ]


def second(house: House, run_id: str) -> dict[str, Any]:
    return dict(house.proposal(run_id)["second"])


def test_it_is_off_unless_the_step_wants_it(house: House) -> None:
    run_id = house.at_judge()
    assert "second" not in house.proposed(run_id)
    assert not house.work()


def test_it_comes_after_the_proposal_with_a_row_of_its_own(looking: House) -> None:
    run_id = looking.at_judge()
    found = looking.proposed(run_id)
    assert (found["status"], found["second"]["status"]) == ("ready", "pending")
    assert {one["name"] for one in found["fields"]} == {"display_name", "balance", "verdict"}
    (call,) = looking.work()
    after = looking.proposal(run_id)
    assert after | {"second": None} == found | {"second": None}, "nothing of the proposal changes"
    assert (after["second"]["call"], after["second"]["status"]) == (call, "ready")
    assert [(one["mode"], one["status"], one["prompt_version"]) for one in calls(run_id)] == [
        ("assist", "ok", PROMPT_VERSION),
        ("second", "ok", SECOND_VERSION),
    ]
    first, again = (asked.body["messages"][0]["content"] for asked in looking.model.asked)
    assert "<proposed>" in again.removeprefix(first)
    assert '"balance": "12.50"' in again.partition("<proposed>")[2]
    assert "<proposed>" not in first
    assert [event.type for event in log.events_of(run_id)].count("proposal_requested") == 2
    assert list(runs.rebuild(run_id, check=True)) == [], "the log alone tells it"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "status"),
    [
        ("http_500", "failed"),
        ("malformed_json", "failed"),
        ("refusal", "failed"),
        ("stall", "failed"),
        ("decline", "declined"),
        ("injection", "failed"),
    ],
)
def test_whatever_becomes_of_it_the_proposal_stays(
    looking: House, mode: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = looking.at_judge()
    found = looking.proposed(run_id)
    looking.model.fault(mode, times=None)
    fetch(
        "update console.ai_call set deadline_at = now() + interval '1500 milliseconds' where status = 'pending' returning 1"
    )
    looking.work()
    after = looking.proposal(run_id)
    assert after | {"second": None} == found | {"second": None}
    assert mode == "injection" or after["second"]["status"] == status
    assert calls(run_id)[1]["mode"] == "second"
    assert looking.company.told(run_id)["status"] == "waiting_person"
    looking.company.answer(run_id, verdict="mine")
    assert looking.company.told(run_id)["status"] == "completed"


def test_who_hands_in_before_it_came_is_not_held_up(looking: House) -> None:
    run_id = looking.at_judge()
    looking.work()
    looking.company.answer(run_id, verdict="mine")
    (call,) = looking.work()
    assert len(looking.model.asked) == 1, "nobody is asked what nobody waits for"
    assert [(one["id"], one["status"]) for one in calls(run_id)][1] == (call, "off")
    do(jobs.PROPOSE, call)
    assert runs.fail_overdue_proposals() == 0
