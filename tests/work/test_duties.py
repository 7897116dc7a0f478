"""Separation of duties in a run: at complete, resume, take over and assign, in inboxes, and in whom the run could be given to."""

import copy
from typing import Any

import pytest

from console import runs, workflows
from console.core.errors import Conflict, Invalid, NotAllowed
from console.work import tickets
from tests import company as small
from tests.company import Company


@pytest.fixture(scope="module")
def house(module_company: Company) -> Company:
    made = copy.deepcopy(small.DOCUMENT) | {
        "slug": "care-apart",
        "title": "Care apart",
        "settings": {"visit_limit": 9, "exclusive": False},
    }
    rules = {"rate": ["step:note.note"], "decide": ["starter", "step:rate"]}
    for step in made["steps"]:
        if step["id"] in rules:
            step["not_by"] = rules[step["id"]]
    workflows.import_file(made, publish=True)
    return module_company


def at(house: Company, step: str, by: str = "olivia") -> str:
    run_id = runs.start(house.people[by], "care-apart", "customer", "1", {"why": "event"})
    while house.told(run_id, by)["current"]["step"] != step:
        house.answer(run_id, by)
    return run_id


def told(error: Any) -> tuple[str, str]:
    return error.value.code, error.value.details[0]["reason"]


def test_who_filled_in_a_field_does_not_confirm_it(house: Company) -> None:
    run_id = at(house, "rate")
    view = runs.get(house.olivia, run_id)
    assert "complete" not in view.can
    assert "You filled in note in the step “Take a note”" in (view.lacking or "")
    assert "Mona or Tom could." in (view.lacking or "")
    with pytest.raises(NotAllowed) as refused:
        house.answer(run_id, "olivia")
    assert told(refused) == ("separation_of_duties", "step:note.note")
    runs.save(house.olivia, run_id, revision=None)
    with pytest.raises(NotAllowed) as refused:
        runs.resume(house.olivia, run_id, revision=None)
    assert told(refused) == ("separation_of_duties", "step:note.note")
    runs.resume(house.tom, run_id, revision=None)
    house.answer(run_id, "tom")
    assert house.told(run_id, "tom")["current"]["step"] == "decide"


def test_neither_the_starter_nor_an_earlier_doer_decides(house: Company) -> None:
    run_id = at(house, "rate")
    runs.save(house.olivia, run_id, revision=None)
    runs.resume(house.tom, run_id, revision=None)
    house.answer(run_id, "tom")
    for who, rule in (("tom", "step:rate"), ("olivia", "starter")):
        act = (
            house.answer
            if who == "tom"
            else lambda run_id, who: runs.take_over(house.people[who], run_id, revision=None)
        )
        with pytest.raises((NotAllowed, Conflict)) as refused:
            act(run_id, who)
        assert told(refused) == ("separation_of_duties", rule)
        with pytest.raises(Invalid, match="cannot be given") as wrong:
            runs.assign(house.mona, run_id, revision=None, user=house.people[who].id)
        assert rule in wrong.value.details[0]["reason"]
    offered = {each.name: each.reason for each in runs.candidates(house.mona, run_id)}
    assert offered["Mona"] == ""
    assert "starter" in offered["Olivia"]
    runs.take_over(house.mona, run_id, revision=None)
    house.answer(run_id, "mona")
    assert house.told(run_id, "mona")["status"] == "completed"


def test_what_was_revised_binds_nobody_any_more(house: Company) -> None:
    run_id = at(house, "note")
    house.answer(run_id, "olivia")
    runs.revise(
        house.olivia, run_id, revision=None, step="note", attempt=None, reason="Somebody else notes it"
    )
    runs.save(house.olivia, run_id, revision=None)
    runs.resume(house.tom, run_id, revision=None)
    house.answer(run_id, "tom")
    runs.save(house.tom, run_id, revision=None)
    runs.resume(house.olivia, run_id, revision=None)
    house.answer(run_id, "olivia")
    assert house.told(run_id, "olivia")["current"]["step"] == "decide"


def test_an_inbox_offers_the_run_to_those_who_may_take_it(house: Company) -> None:
    run_id = at(house, "rate")
    runs.escalate(house.olivia, run_id, revision=None, inbox="desk", reason="For somebody else")
    assert run_id not in {ticket.id for ticket in tickets.to_do(house.olivia, "desk").tickets}
    assert run_id in {ticket.id for ticket in tickets.to_do(house.tom, "desk").tickets}
    with pytest.raises((NotAllowed, Conflict)):
        tickets.take(house.olivia, "desk", run_id)
    assert tickets.take(house.tom, "desk", run_id) == run_id
