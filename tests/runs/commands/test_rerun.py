"""Doing an ended run again: from its start or from where it stopped, with its own version or today's; the old one stays as it is."""

import pytest

from console import log, runs, workflows
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.company import DOCUMENT, Company
from tests.support.paying import at_pay, back, pay, paying, providing


def aborted(company: Company, step: str = "rate", record: str = "1") -> str:
    run_id = company.at(step, record)
    runs.abort(company.olivia, run_id, revision=None, reason="Wrong file")
    return run_id


def test_from_the_start_with_the_same_input_or_another(company: Company) -> None:
    old = aborted(company)
    before = company.told(old)
    again = runs.rerun(company.olivia, old, origin="start", version="original")
    told = company.told(again)
    assert (told["rerun_of"], told["current"]["step"], told["version"]) == (old, "read", 1)
    assert told["attempts"][0]["values"] == {"why": "periodic"}
    assert company.told(old) == before
    runs.abort(company.olivia, again, revision=None, reason="Once more")
    third = runs.rerun(company.olivia, old, origin="start", version="original", given={"why": "event"})
    assert company.told(third)["attempts"][0]["values"] == {"why": "event"}
    assert list(runs.rebuild(third, check=True)) == []


def test_from_where_it_stopped_what_stands_is_taken_over(company: Company) -> None:
    old = aborted(company)
    told = company.told(runs.rerun(company.olivia, old, origin="failure", version="original"))
    assert told["current"]["step"] == "rate"
    assert [(each["step"], each["status"]) for each in told["attempts"]] == [
        *(("start", "done"), ("load", "done"), ("read", "done"), ("note", "done")),
        ("rate", "open"),
    ]
    assert told["context"]["note"] == company.told(old)["context"]["note"]
    events = [event for event in log.events_of(told["id"]) if event.open.get("taken_from") == old]
    assert [event.type for event in events] == ["step_completed"] * 3
    company.answer(told["id"])
    assert company.told(told["id"])["current"]["step"] == "decide"
    assert list(runs.rebuild(told["id"], check=True)) == []


def test_today_s_version_where_the_way_is_the_same(company: Company) -> None:
    old = aborted(company)
    other = [{**each, "title": "Note it"} if each["id"] == "note" else each for each in DOCUMENT["steps"]]
    workflows.import_file(DOCUMENT | {"steps": other}, publish=True)
    told = company.told(runs.rerun(company.olivia, old, origin="failure", version="current"))
    assert (told["version"], told["current"]["step"]) == (2, "rate")
    runs.abort(company.olivia, told["id"], revision=None, reason="Again")
    shorter = [
        {**each, "next": {"default": "rate"}} if each["id"] == "read" else each for each in DOCUMENT["steps"]
    ]
    workflows.import_file(DOCUMENT | {"steps": shorter}, publish=True)
    with pytest.raises(Conflict) as refused:
        runs.rerun(company.olivia, old, origin="failure", version="current")
    assert refused.value.code == "not_possible"


def test_what_cannot_be_done_again(company: Company) -> None:
    live = company.at("note", "2")
    done = company.finished("1")
    with pytest.raises(Conflict, match="has not ended"):
        runs.rerun(company.olivia, live, origin="start", version="original")
    with pytest.raises(Conflict, match="nothing failed"):
        runs.rerun(company.olivia, done, origin="failure", version="original")
    old = aborted(company, record="4")
    with pytest.raises(Invalid, match="begins at the start"):
        runs.rerun(company.olivia, old, origin="failure", version="original", given={"why": "event"})
    runs.rerun(company.olivia, old, origin="start", version="original")
    with pytest.raises(Conflict) as refused:
        runs.rerun(company.olivia, old, origin="start", version="original")
    assert refused.value.code == "run_is_live"


@pytest.mark.parametrize(("who", "error"), [("stan", NotFound), ("rosa", NotAllowed), ("ada", NotAllowed)])
def test_who_may_not(company: Company, who: str, error: type[Exception]) -> None:
    old = aborted(company)
    with pytest.raises(error):
        runs.rerun(company.people[who], old, origin="start", version="original")


@pytest.mark.parametrize("mood", ["good", "mute"])
def test_what_it_made_where_it_stopped_is_not_made_a_second_time(
    company: Company, monkeypatch: pytest.MonkeyPatch, mood: str
) -> None:
    """Whether it was made, or may have been, and also where somebody went back before the end."""
    with providing(monkeypatch) as provider:
        paying(error=True)
        run_id = at_pay(company)
        provider.mood = mood
        told = pay(company, run_id)
        if mood == "mute":
            effect = told["current"]["effect"]["id"]
            runs.settle(
                company.olivia, run_id, revision=None, effect=effect, done=True, reason="It is there."
            )
        back(company, run_id, "look")
        runs.abort(company.olivia, run_id, revision=None, reason="Enough.")
        with pytest.raises(Conflict) as refused:
            runs.rerun(company.olivia, run_id, origin="failure", version="original")
        assert (refused.value.code, "Pay through the provider" in refused.value.message) == (
            "already_done",
            True,
        )
        runs.rerun(company.olivia, run_id, origin="start", version="original")
        assert provider.payments == [5]
