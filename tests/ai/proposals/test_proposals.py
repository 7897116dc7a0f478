"""Proposals in runs: asked for, answered, compared with what was handed in."""

from datetime import timedelta

import pytest

from console import log, runs
from tests.company import Company
from tests.support.proposing_runs import (
    at,
    begun,
    call_of,
    failed,
    hand_in,
    holds,
    kinds,
    made,
    outcomes,
    row,
    value,
)

# ------------------------------------------------------------------------------------------------------------------- asked


def test_coming_to_a_step_asks_in_the_same_transaction(company: Company) -> None:
    run_id = begun(company)
    told = company.told(run_id)["current"]["proposal"]
    assert (told["status"], told["for"], told["purpose"], told["mode"]) == (
        "pending",
        company.olivia.id,
        "propose",
        "assist",
    )
    assert told["asked"] == ["note", "amount"]
    assert "proposal_requested" in kinds(run_id)
    assert (row(told["call"])["status"], row(told["call"])["asked"]) == ("pending", ["note", "amount"])
    holds(run_id)


def test_the_context_of_a_call_is_what_the_person_sees(company: Company) -> None:
    run_id = begun(company)
    found = runs.proposal_context(call_of(company, run_id))
    assert found is not None
    assert (found.person.id, found.step.id, found.run.id, found.purpose) == (
        company.olivia.id,
        "note",
        run_id,
        "propose",
    )
    assert [field.name for field in found.fields] == ["note", "amount"]
    assert (found.instruction, found.columns, found.outcomes) == ("Be brief.", {}, ())
    assert found.record is not None
    assert found.record.values["email"] == "adaeze@customers.example"


@pytest.mark.parametrize("end", ["answered", "on", "ended", "other holder"])
def test_what_is_not_wanted_any_more_is_not_asked(company: Company, end: str) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    match end:
        case "answered":
            made(call, value("note", "n"))
        case "on":
            hand_in(company, run_id, values={"note": "mine"})
        case "ended":
            runs.abort(company.olivia, run_id, revision=None, reason="enough")
        case "other holder":
            runs.take_over(company.mona, run_id, revision=None)
    assert runs.proposal_context(call) is None
    assert row(call)["status"] == ("ok" if end == "answered" else "off")
    holds(run_id)


def test_whoever_takes_over_gets_a_proposal_of_their_own(company: Company) -> None:
    run_id = begun(company)
    first = call_of(company, run_id)
    made(first, value("note", "for Olivia"))
    runs.take_over(company.mona, run_id, revision=None)
    second = company.told(run_id, "mona")["current"]["proposal"]
    assert (second["status"], second["for"], second["fields"]) == ("pending", company.mona.id, [])
    assert second["call"] != first


# ------------------------------------------------------------------------------------------------------------------ answered


def test_a_second_answer_is_dropped(company: Company) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    made(call, value("note", "first"))
    count = len(kinds(run_id))
    made(call, value("note", "second"))
    failed(call)
    assert len(kinds(run_id)) == count
    assert company.told(run_id)["current"]["proposal"]["fields"][0]["value"] == "first"


def test_a_draft_is_not_touched(company: Company) -> None:
    run_id = begun(company)
    told = company.told(run_id)
    runs.draft(company.olivia, run_id, step="note", revision=told["revision"], values={"note": "half"})
    made(told["current"]["proposal"]["call"], value("note", "Looks fine."))
    assert company.told(run_id)["current"]["draft"]["values"] == {"note": "half"}


@pytest.mark.parametrize("way", ["take_over", "assign", "save", "release"])
def test_what_was_typed_goes_on_with_the_run(company: Company, way: str) -> None:
    run_id = begun(company)
    told = company.told(run_id)
    made(told["current"]["proposal"]["call"], value("note", "Looks fine."))
    runs.draft(company.olivia, run_id, step="note", revision=told["revision"], values={"note": "half"})
    match way:
        case "take_over":
            runs.take_over(company.mona, run_id, revision=None)
        case "assign":
            runs.assign(company.mona, run_id, revision=None, user=company.mona.id)
        case "save":
            runs.save(company.olivia, run_id, revision=None)
            runs.resume(company.mona, run_id, revision=None)
        case "release":
            runs.release(company.olivia, run_id, revision=None)
            runs.take_over(company.mona, run_id, revision=None)
    here = company.told(run_id, "mona")["current"]
    assert (here["draft"]["values"], here["proposal"]["status"], here["proposal"]["for"]) == (
        {"note": "half"},
        "pending",
        company.mona.id,
    )
    made(here["proposal"]["call"], value("note", "Looks fine."))
    assert company.told(run_id, "mona")["current"]["draft"]["values"] == {"note": "half"}


def test_a_late_answer_is_a_fact_of_the_call(company: Company) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    hand_in(company, run_id, values={"note": "mine"})
    before = company.told(run_id)
    made(call, value("note", "late"))
    after = company.told(run_id)
    assert {key: after[key] for key in after if key != "last_event"} == {
        key: before[key] for key in before if key != "last_event"
    }
    assert row(call)["status"] == "ok"
    holds(run_id)


def test_an_answer_after_the_end_changes_nothing(company: Company) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    runs.cancel(company.mona, run_id, revision=None, reason="enough")
    made(call, value("note", "late"))
    assert (company.told(run_id)["status"], row(call)["status"]) == ("cancelled", "ok")
    holds(run_id)


@pytest.mark.parametrize(
    ("status", "code"), [("failed", "timeout"), ("declined", "nothing_supported"), ("off", "no_key")]
)
def test_a_failure_says_why_and_the_form_stays(company: Company, status: str, code: str) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    failed(call, code, status, "Nothing came.")
    told = company.told(run_id)
    proposal = told["current"]["proposal"]
    assert (proposal["status"], proposal["code"], proposal["message"]) == (status, code, "Nothing came.")
    assert (row(call)["status"], row(call)["code"]) == (status, code)
    assert hand_in(company, run_id, values={"note": "mine"})["current"]["step"] == "rate"
    holds(run_id)


def test_what_nobody_looks_at_is_given_up_by_the_worker(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    assert runs.fail_overdue_proposals() == 0
    now = log.now()
    monkeypatch.setattr(log, "now", lambda: now + timedelta(seconds=10))
    assert runs.fail_overdue_proposals() == 1
    assert runs.fail_overdue_proposals() == 0
    assert row(call)["code"] == "timeout"


# ------------------------------------------------------------------------------------------------------------------ handed in


def test_what_became_of_each_value_is_kept(company: Company) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    made(call, value("note", "Looks fine."), value("amount", "12.50"))
    runs.source_opened(company.olivia, run_id, source="related", collection="account", key="1")
    runs.source_opened(company.olivia, run_id, source="related", collection="account", key="1")
    hand_in(company, run_id, values={"note": "  looks FINE. ", "amount": "12.60"})
    assert outcomes(call) == {"amount": "edited", "note": "accepted"}
    found = row(call)
    assert (found["submitted_by"], found["handled_manually"], found["opened"]) == (
        company.olivia.id,
        False,
        2,
    )
    assert found["seconds"] >= 0
    done = next(
        event
        for event in log.events_of(run_id)
        if event.type == "step_completed" and event.body["step"]["id"] == "note"
    )
    assert done.open["proposal"]["outcomes"] == {"amount": "edited", "note": "accepted"}
    holds(run_id)


def test_handled_manually_uses_nothing_of_it(company: Company) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    made(call, value("note", "Looks fine."), value("amount", "12.50"))
    told = hand_in(
        company, run_id, values={"note": "Looks fine."}, handled_manually=True, reason="I know them."
    )
    assert outcomes(call) == {"amount": "ignored", "note": "ignored"}
    assert row(call)["handled_manually"] is True
    assert told["context"]["note"]["missing"] == "handled manually"
    holds(run_id)


@pytest.mark.parametrize(("given", "outcome"), [("low", "blind_equal"), ("high", "blind_different")])
@pytest.mark.parametrize("mode", ["shadow", "blind"])
def test_what_nobody_is_shown_is_compared_all_the_same(
    company: Company, mode: str, given: str, outcome: str
) -> None:
    run_id = at(company, "rate")
    call = call_of(company, run_id)
    made(call, value("risk", "low"), mode=mode)
    proposal = company.told(run_id)["current"]["proposal"]
    assert (proposal["status"], proposal["fields"], proposal["outcome"]) == ("off", [], None)
    assert "low" not in str(
        [event for event in runs.events(company.olivia, run_id)[0] if event["kind"] == "proposal_made"]
    )
    hand_in(company, run_id, values={"risk": given})
    assert outcomes(call) == {"risk": outcome}
    holds(run_id)
