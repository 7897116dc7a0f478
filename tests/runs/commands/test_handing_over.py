"""Runs that are put into an inbox, taken from it, and given to people; as rules, rights and the log see it."""

import pytest

from console import log, runs
from console.core.errors import Conflict, ConsoleError, Invalid, NotAllowed, NotFound
from console.work import my_work
from console.workflows import inboxes
from tests.company import DESK, Company


def test_a_run_in_an_inbox_waits_for_whoever_takes_it_with_what_was_typed(company: Company) -> None:
    run_id = company.at("note")
    runs.draft(company.olivia, run_id, step="note", revision=None, values={"note": "half a sentence"})
    runs.escalate(company.olivia, run_id, revision=None, inbox="desk", reason=" looks odd ", priority="high")
    told = runs.get(company.mona, run_id)
    assert (told.json["status"], told.json["holder"]) == ("waiting_person", None)
    assert told.json["ticket"]["inbox"] == "desk"
    assert (told.json["ticket"]["reason"], told.json["ticket"]["priority"], told.json["ticket"]["by"]) == (
        "looks odd",
        "high",
        company.olivia.id,
    )
    with pytest.raises(Conflict) as refused:
        company.answer(run_id, note="x")
    assert refused.value.code == "not_holder"
    runs.take_over(company.tom, run_id, revision=None)
    taken = runs.get(company.tom, run_id).json
    assert (taken["holder"], taken["ticket"]) == (company.tom.id, None)
    assert taken["current"]["draft"]["values"] == {"note": "half a sentence"}
    last = runs.get(company.tom, run_id).handed_on
    assert last is not None, "whoever takes it reads why"
    assert (last.by, last.reason) == (company.olivia.id, "looks odd")
    assert my_work.work_of(company.tom).why[run_id].words == "“looks odd”"
    assert runs.get(company.olivia, run_id).handed_on is None, "who handed it on knows why"
    company.answer(run_id, by="tom", note="Looked at it.")
    assert runs.get(company.tom, run_id).handed_on is None, "until a step is done"
    kinds = [event.type for event in log.events_of(run_id)]
    assert kinds.index("run_escalated") < kinds.index("run_taken_over")
    assert not list(runs.rebuild(run_id, check=True))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"inbox": "", "reason": "x"}, "inbox"),
        ({"inbox": "desk", "reason": " "}, "reason"),
        ({"inbox": "desk", "reason": "x", "priority": "now"}, "priority"),
    ],
)
def test_what_is_lacking_is_named_and_nothing_moves(
    company: Company, given: dict[str, str], field: str
) -> None:
    run_id = company.at("note")
    before = company.told(run_id)
    with pytest.raises(Invalid) as refused:
        runs.escalate(company.olivia, run_id, revision=None, **given)  # type: ignore[arg-type]
    assert [detail["field"] for detail in refused.value.details] == [field]
    assert company.told(run_id)["revision"] == before["revision"]


def test_nobody_is_given_a_run_out_of_an_inbox_in_which_they_do_not_work(company: Company) -> None:
    """Not by its lead either: the second line's work stays with the second line until one of them has taken it."""
    inboxes.import_all(
        [DESK, {**DESK, "id": "second-line", "title": "Second line", "roles": ["operations_lead"]}]
    )
    run_id = company.at("note")
    runs.escalate(company.olivia, run_id, revision=None, inbox="second-line", reason="Please look")
    assert {
        one.name: one.reason for one in runs.candidates(company.mona, run_id) if one.name in ("Mona", "Tom")
    } == {
        "Mona": "",
        "Tom": "Does not work in the inbox Second line.",
    }
    with pytest.raises(Invalid) as refused:
        runs.assign(company.mona, run_id, revision=None, user=company.tom.id)
    assert (
        refused.value.details[0]["reason"]
        == "It waits in the inbox Second line, and this person does not work there."
    )
    assert company.told(run_id, "mona")["holder"] is None
    runs.assign(company.mona, run_id, revision=None, user=company.mona.id)
    runs.assign(company.mona, run_id, revision=None, user=company.tom.id)
    assert company.told(run_id, "tom")["holder"] == company.tom.id, "she has taken it, and gives it on"


def test_a_lead_gives_a_run_to_somebody_who_can_do_it_and_to_nobody_else(company: Company) -> None:
    run_id = company.at("note")
    for user in (company.stan.id, company.rosa.id, "usr_nobody", ""):
        with pytest.raises(Invalid) as refused:
            runs.assign(company.mona, run_id, revision=None, user=user)
        assert refused.value.details[0]["field"] == "user"
    for asker, error in ((company.tom, NotAllowed), (company.stan, NotFound)):
        with pytest.raises(error):
            runs.assign(asker, run_id, revision=None, user=company.tom.id)
    runs.assign(company.mona, run_id, revision=None, user=company.tom.id, reason="yours")
    assert company.told(run_id, by="tom")["holder"] == company.tom.id
    with pytest.raises(ConsoleError):
        runs.assign(company.mona, run_id, revision=None, user=company.tom.id)
    runs.save(company.tom, run_id, revision=None)
    runs.assign(company.mona, run_id, revision=None, user=company.olivia.id)
    told = company.told(run_id)
    assert (told["status"], told["holder"]) == ("waiting_person", company.olivia.id)


def test_a_step_that_went_by_without_a_click_can_be_gone_back_to_and_is_a_persons_then(
    company: Company,
) -> None:
    run_id = company.at("note")
    passed = [
        each for each in company.told(run_id)["attempts"] if each["type"] == "get_data" and each["by"] is None
    ]
    assert passed, "the step was completed by itself"
    runs.revise(
        company.olivia, run_id, revision=None, step=passed[-1]["step"], attempt=None, reason="Look again."
    )
    told = company.told(run_id)
    assert (told["status"], told["current"]["step"], told["current"]["attempt"]) == (
        "waiting_person",
        passed[-1]["step"],
        2,
    )
    assert not list(runs.rebuild(run_id, check=True))
