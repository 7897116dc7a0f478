"""Proposals in runs: asked for, answered, compared with what was handed in; what follows by itself and what does not."""

from datetime import timedelta
from typing import Any

import pytest

from console import log, runs, workflows
from console.access import Row
from console.core.run import fold
from console.db.engine import fetch
from console.errors import Conflict, ConsoleError, Invalid, NotFound
from console.runs import drafts
from console.runs.store import as_event, load
from tests.company import Company
from tests.services.engine import step
from tests.services.proposals import at, begun, call_of, failed, hand_in, made, outcomes, row, source, value
from tests.services.test_runs_midway import ruled


def kinds(run_id: str) -> list[str]:
    return [event.type for event in log.events_of(run_id)]


def holds(run_id: str) -> None:
    """The log tells the rows."""
    loaded = load(run_id, whole=True)
    assert loaded is not None
    told = fold(as_event(event) for event in log.events_of(run_id))
    assert {n: each.proposal for n, each in told.attempts.items()} == {n: each.proposal for n, each in loaded.run.attempts.items()}
    assert (told.revision, told.seq, told.status, told.context) == (
        *(loaded.run.revision, loaded.run.seq, loaded.run.status),
        loaded.run.context,
    )
    assert list(runs.rebuild(run_id, check=True)) == []


# ------------------------------------------------------------------------------------------------------------------- asked


def test_coming_to_a_step_asks_in_the_same_transaction(company: Company) -> None:
    run_id = begun(company)
    told = company.told(run_id)["current"]["proposal"]
    assert (told["status"], told["for"], told["purpose"], told["mode"]) == ("pending", company.olivia.id, "propose", "assist")
    assert told["asked"] == ["note", "amount"]
    assert "proposal_requested" in kinds(run_id)
    assert (row(told["call"])["status"], row(told["call"])["asked"]) == ("pending", ["note", "amount"])
    holds(run_id)


def test_the_context_of_a_call_is_what_the_person_sees(company: Company) -> None:
    run_id = begun(company)
    found = runs.proposal_context(call_of(company, run_id))
    assert found is not None
    assert (found.person.id, found.step.id, found.run.id, found.purpose) == (company.olivia.id, "note", run_id, "propose")
    assert [field.name for field in found.fields] == ["note", "amount"]
    assert (found.instruction, found.columns, found.outcomes) == ("Be brief.", {}, ())
    assert found.record is not None
    assert found.record.values["email"] == "adaeze@customers.example"


def test_fields_of_the_record_are_named_with_their_collection(company: Company) -> None:
    found = runs.proposal_context(call_of(company, at(company, "rate")))
    assert found is not None
    assert found.columns == {"risk": "customer", "email": "customer"}
    assert {field.name: field.trusted_only for field in found.fields} == {"risk": False, "email": True}
    assert [value for value, _ in found.fields[0].options] == ["low", "medium", "high"]


def test_a_decision_offers_its_options(company: Company) -> None:
    found = runs.proposal_context(call_of(company, at(company, "decide")))
    assert found is not None
    assert found.outcomes == (("approve", "Approve"), ("reject", "Reject"))
    assert (found.purpose, [field.name for field in found.fields]) == ("decide", ["code", "reason"])


def test_a_model_is_asked_for_each_tick(company: Company) -> None:
    found = runs.proposal_context(call_of(company, at(company, "flags")))
    assert found is not None
    assert [(field.name, field.type) for field in found.fields] == [
        *(("flags.pep", "boolean"), ("flags.expired", "boolean"), ("flags.media", "boolean")),
        ("summary", "long_text"),
    ]
    assert found.instruction == "At most 3. Look at [steps.note.note]."


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


def test_an_answer_makes_no_form_stale(company: Company) -> None:
    run_id = begun(company)
    before = company.told(run_id)
    made(before["current"]["proposal"]["call"], value("note", "Looks fine.", "medium"))
    after = company.told(run_id)
    assert after["revision"] == before["revision"]
    proposal = after["current"]["proposal"]
    assert (proposal["status"], proposal["fields"][0]["value"], proposal["origin"]) == ("ready", "Looks fine.", "rules")
    runs.complete(company.olivia, run_id, step="note", revision=before["revision"], values={"note": "mine"})
    holds(run_id)


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
    assert (here["draft"]["values"], here["proposal"]["status"], here["proposal"]["for"]) == ({"note": "half"}, "pending", company.mona.id)
    made(here["proposal"]["call"], value("note", "Looks fine."))
    assert company.told(run_id, "mona")["current"]["draft"]["values"] == {"note": "half"}


def test_a_late_answer_is_a_fact_of_the_call(company: Company) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    hand_in(company, run_id, values={"note": "mine"})
    before = company.told(run_id)
    made(call, value("note", "late"))
    after = company.told(run_id)
    assert {key: after[key] for key in after if key != "last_event"} == {key: before[key] for key in before if key != "last_event"}
    assert row(call)["status"] == "ok"
    holds(run_id)


def test_an_answer_after_the_end_changes_nothing(company: Company) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    runs.cancel(company.mona, run_id, revision=None, reason="enough")
    made(call, value("note", "late"))
    assert (company.told(run_id)["status"], row(call)["status"]) == ("cancelled", "ok")
    holds(run_id)


@pytest.mark.parametrize(("status", "code"), [("failed", "timeout"), ("declined", "nothing_supported"), ("off", "no_key")])
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


def test_whoever_looks_first_says_that_no_answer_came(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = begun(company)
    now = log.now()
    monkeypatch.setattr(log, "now", lambda: now + timedelta(seconds=8))
    assert company.told(run_id)["current"]["proposal"]["status"] == "pending"
    monkeypatch.setattr(log, "now", lambda: now + timedelta(seconds=10))
    proposal = company.told(run_id)["current"]["proposal"]
    assert (proposal["status"], proposal["code"]) == ("failed", "timeout")
    assert row(proposal["call"])["code"] == "timeout"


def test_what_nobody_looks_at_is_given_up_by_the_worker(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    assert runs.overdue_proposals() == 0
    now = log.now()
    monkeypatch.setattr(log, "now", lambda: now + timedelta(seconds=10))
    assert runs.overdue_proposals() == 1
    assert runs.overdue_proposals() == 0
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
    assert (found["submitted_by"], found["handled_manually"], found["opened"]) == (company.olivia.id, False, 2)
    assert found["seconds"] >= 0
    done = next(event for event in log.events_of(run_id) if event.type == "step_completed" and event.body["step"]["id"] == "note")
    assert done.open["proposal"]["outcomes"] == {"amount": "edited", "note": "accepted"}
    holds(run_id)


def test_handled_manually_uses_nothing_of_it(company: Company) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    made(call, value("note", "Looks fine."), value("amount", "12.50"))
    told = hand_in(company, run_id, values={"note": "Looks fine."}, handled_manually=True, reason="I know them.")
    assert outcomes(call) == {"amount": "ignored", "note": "ignored"}
    assert row(call)["handled_manually"] is True
    assert told["context"]["note"]["missing"] == "handled manually"
    holds(run_id)


def test_handled_manually_before_any_answer(company: Company) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    told = hand_in(company, run_id, values={"note": "By hand."}, handled_manually=True)
    assert told["context"]["note"]["note"] == "By hand."
    assert (row(call)["status"], row(call)["handled_manually"]) == ("pending", True)
    made(call, value("note", "late"))
    assert outcomes(call) == {"note": None}
    holds(run_id)


@pytest.mark.parametrize(("given", "outcome"), [("low", "blind_equal"), ("high", "blind_different")])
@pytest.mark.parametrize("mode", ["shadow", "blind"])
def test_what_nobody_is_shown_is_compared_all_the_same(company: Company, mode: str, given: str, outcome: str) -> None:
    run_id = at(company, "rate")
    call = call_of(company, run_id)
    made(call, value("risk", "low"), mode=mode)
    proposal = company.told(run_id)["current"]["proposal"]
    assert (proposal["status"], proposal["fields"], proposal["outcome"]) == ("off", [], None)
    assert "low" not in str([event for event in runs.events(company.olivia, run_id)[0] if event["kind"] == "proposal_made"])
    hand_in(company, run_id, values={"risk": given})
    assert outcomes(call) == {"risk": outcome}
    holds(run_id)


def test_the_choice_is_compared_and_what_was_proposed_is_told(company: Company) -> None:
    run_id = at(company, "decide")
    call = call_of(company, run_id)
    made(call, outcome="reject")
    hand_in(company, run_id, outcome="approve")
    assert outcomes(call) == {"outcome": "edited"}
    chosen = next(event for event in log.events_of(run_id) if event.type == "outcome_chosen")
    assert (chosen.open["proposed"], chosen.open["outcome"], chosen.open["maker"]) == ("reject", "approve", "user")
    assert row(call)["submitted_outcome"] == "approve"


def test_going_back_to_what_was_accepted_is_noted(company: Company) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    made(call, value("note", "Looks fine."))
    hand_in(company, run_id, values={"note": "Looks fine."})
    runs.revise(company.olivia, run_id, step="note", attempt=None, revision=None, reason="wrong")
    assert row(call)["revised_at"] is not None
    holds(run_id)


def test_going_back_to_what_was_edited_is_not(company: Company) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    made(call, value("note", "Looks fine."))
    hand_in(company, run_id, values={"note": "Something else altogether."})
    runs.revise(company.olivia, run_id, step="note", attempt=None, revision=None, reason="wrong")
    assert row(call)["revised_at"] is None


# ----------------------------------------------------------------------------------------------------------------- by itself


def test_a_promoted_step_is_done_where_all_is_certain(company: Company) -> None:
    run_id = at(company, "decide")
    call = call_of(company, run_id)
    made(call, outcome="approve", mode="auto")
    told = company.told(run_id)
    assert told["status"] == "completed"
    chosen = next(event for event in log.events_of(run_id) if event.type == "outcome_chosen")
    assert (chosen.open["maker"], chosen.open["outcome"], chosen.body["actor"]["kind"]) == ("ai", "approve", "system")
    assert (row(call)["mode"], row(call)["submitted_outcome"], row(call)["submitted_by"]) == ("auto", "approve", None)
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
def test_a_promoted_step_stays_with_a_person_otherwise(company: Company, why: str, more: dict[str, Any]) -> None:
    assert why
    run_id = at(company, "decide")
    made(call_of(company, run_id), **({"mode": "auto"} | more))
    told = company.told(run_id)
    assert (told["status"], told["current"]["step"], told["holder"]) == ("waiting_person", "decide", company.olivia.id)
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


TICKS = [value("flags.pep", True, "high", source("desk", id="s2")), value("flags.media", True, "medium"), value("flags.expired", False)]


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


def test_ticks_by_hand_have_no_references(company: Company) -> None:
    run_id = at(company, "flags")
    made(call_of(company, run_id), *TICKS)
    told = hand_in(company, run_id, values={"flags": ["pep"]}, handled_manually=True)
    assert told["context"]["flags"]["flags"] == ["pep"]
    assert "references" not in told["context"]["flags"]


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
    assert (told["context"]["flags"]["origin"], told["context"]["flags"]["flags"]) == ("llm", ["pep", "media"])
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
    assert (told["status"], told["current"]["take_over"]) == ("waiting_person", {"code": code, "message": "That is why."})
    assert [field["name"] for field in told["current"]["form"]["fields"]] == ["flags", "summary"]
    holds(run_id)
    told = hand_in(company, run_id, values={"flags": []}, handled_manually=True)
    assert told["current"]["step"] == "decide"
    holds(run_id)


@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("suspicious_content", {"flags": ["suspicious_content"], "banner": "Text in the note reads like instructions."}),
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


def test_a_low_answer_is_a_persons(company: Company) -> None:
    run_id = at(company, "rate", llm="automatic")
    made(hand_in(company, run_id)["current"]["proposal"]["call"], value("summary", "Perhaps.", "low"))
    assert company.told(run_id)["current"]["take_over"]["code"] == "unsure"


def test_a_person_may_try_again_or_step_in(company: Company) -> None:
    run_id = at(company, "rate", llm="automatic")
    call = hand_in(company, run_id)["current"]["proposal"]["call"]
    failed(call)
    runs.retry(company.olivia, run_id, revision=None)
    told = company.told(run_id)
    assert (told["status"], told["current"]["proposal"]["status"]) == ("waiting_event", "pending")
    second = told["current"]["proposal"]["call"]
    assert second != call
    runs.step_in(company.olivia, run_id, revision=None)
    assert company.told(run_id)["status"] == "waiting_person"
    made(second, value("summary", "late"))
    assert company.told(run_id)["current"]["step"] == "flags"
    holds(run_id)


def test_hands_off_an_answer_that_does_not_come_ends_the_run(company: Company) -> None:
    run_id = at(company, "rate", llm="automatic", on_error="fail")
    failed(hand_in(company, run_id)["current"]["proposal"]["call"])
    assert company.told(run_id)["status"] == "failed"
    holds(run_id)


def test_a_wait_without_anybody_ends_by_itself(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = at(company, "rate", llm="automatic")
    hand_in(company, run_id)
    now = log.now()
    monkeypatch.setattr(log, "now", lambda: now + timedelta(seconds=10))
    assert runs.overdue_proposals() >= 1
    told = company.told(run_id)
    assert (told["status"], told["current"]["take_over"]["code"]) == ("waiting_person", "timeout")


# ---------------------------------------------------------------------------------------------------------- again, and supply


def test_asking_again_after_a_failure(company: Company) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    failed(call)
    before = company.told(run_id)
    runs.propose_again(company.olivia, run_id, revision=before["revision"])
    told = company.told(run_id)
    assert (told["revision"], told["current"]["proposal"]["status"]) == (before["revision"], "pending")
    assert told["current"]["proposal"]["call"] != call
    runs.propose_again(company.olivia, run_id, revision=before["revision"])
    assert call_of(company, run_id) == told["current"]["proposal"]["call"], "two clicks ask once"
    made(call, value("note", "late"))
    assert company.told(run_id)["current"]["proposal"]["status"] == "pending"
    holds(run_id)


def test_asking_again_keeps_what_was_typed(company: Company) -> None:
    run_id = begun(company)
    told = company.told(run_id)
    failed(told["current"]["proposal"]["call"])
    runs.draft(company.olivia, run_id, step="note", revision=told["revision"], values={"note": "half"})
    runs.propose_again(company.olivia, run_id, revision=None)
    kept = drafts.latest(run_id, load(run_id).run.current, load(run_id).subject)  # type: ignore[union-attr, arg-type]
    assert kept is not None
    assert kept.values == {"note": "half"}


@pytest.mark.parametrize("before", ["failed", "asked while it was put aside", "ready", "pending"])
def test_whoever_takes_the_run_up_again_is_not_left_with_a_failure(company: Company, before: str) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    if before == "failed":
        failed(call)
    if before == "ready":
        made(call, value("note", "n"))
    runs.save(company.olivia, run_id, revision=None)
    if before == "asked while it was put aside":
        assert runs.proposal_context(call) is None
    runs.resume(company.olivia, run_id, revision=None)
    proposal = company.told(run_id)["current"]["proposal"]
    assert proposal["status"] == ("ready" if before == "ready" else "pending")
    assert (proposal["call"] == call) == (before in ("ready", "pending"))
    holds(run_id)


REFUSED: list[tuple[str, str, type[ConsoleError], str]] = [
    ("another operator", "tom", Conflict, "not_holder"),
    ("of another team", "stan", NotFound, "not_found"),
    ("who only reads", "ada", Conflict, "not_holder"),
    ("an old form", "olivia", Conflict, "stale_revision"),
]


@pytest.mark.parametrize(("why", "who", "error", "code"), REFUSED, ids=[case[0] for case in REFUSED])
def test_who_may_not_ask_or_supply(company: Company, why: str, who: str, error: type[ConsoleError], code: str) -> None:
    assert why
    run_id = begun(company)
    hand_in(company, run_id, handled_manually=True)
    before = load(run_id, whole=True)
    revision = None if who != "olivia" else 1
    with pytest.raises(error) as refused:
        runs.propose_again(company.people[who], run_id, revision=revision)
    assert refused.value.code == code
    with pytest.raises(error) as refused:
        runs.supply(company.people[who], run_id, revision=revision, step="note", values={"note": "x"})
    assert refused.value.code == code
    assert load(run_id, whole=True) == before


def test_nothing_is_asked_of_an_ended_run_or_at_a_step_without_ai(company: Company) -> None:
    run_id = company.at("note")
    with pytest.raises(Conflict, match="Nothing is proposed"):
        runs.propose_again(company.olivia, run_id, revision=None)
    runs.cancel(company.mona, run_id, revision=None, reason="enough")
    with pytest.raises(Conflict, match="ended"):
        runs.propose_again(company.olivia, run_id, revision=None)


def test_what_is_missing_can_be_supplied(company: Company) -> None:
    run_id = begun(company)
    hand_in(company, run_id, values={"note": "By hand."}, handled_manually=True)
    told = company.told(run_id)
    assert "Context missing from “note”" in str(runs.get(company.olivia, run_id).screen["missing"])  # type: ignore[index]
    first = told["current"]["proposal"]["call"]
    assert [field.name for field in runs.supply_form(company.olivia, run_id, "note")] == ["amount"]
    runs.supply(company.olivia, run_id, revision=told["revision"], step="note", values={"amount": "12.50"})
    after = company.told(run_id)
    assert after["context"]["note"] == {
        "note": "By hand.",
        "amount": "12.50",
        "shown": "Adaeze Okonkwo-Bell",
        "paper": None,
        "missing": "supplied later",
    }
    assert after["revision"] == told["revision"] + 1
    assert (after["current"]["step"], after["current"]["proposal"]["status"]) == ("rate", "pending")
    assert after["current"]["proposal"]["call"] != first
    assert not runs.get(company.olivia, run_id).screen["missing"]  # type: ignore[index]
    holds(run_id)


def test_what_was_supplied_stays_when_a_later_step_is_revised(company: Company) -> None:
    run_id = begun(company)
    hand_in(company, run_id, handled_manually=True)
    runs.supply(company.olivia, run_id, revision=None, step="note", values={"amount": "1"})
    hand_in(company, run_id)
    runs.revise(company.olivia, run_id, step="rate", attempt=None, revision=None, reason="wrong")
    assert company.told(run_id)["context"]["note"]["amount"] == "1"
    holds(run_id)


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("nothing", {}, "values"),
    ("empty", {"amount": ""}, "values"),
    ("no number", {"amount": "twelve"}, "amount"),
    ("what is there", {"note": "anew"}, "note"),
    ("no such field", {"colour": "red"}, "colour"),
    ("shown only", {"shown": "x"}, "shown"),
]


@pytest.mark.parametrize(("why", "values", "field"), WRONG, ids=[case[0] for case in WRONG])
def test_what_cannot_be_supplied(company: Company, why: str, values: dict[str, Any], field: str) -> None:
    assert why
    run_id = begun(company)
    hand_in(company, run_id, values={"note": "By hand."}, handled_manually=True)
    with pytest.raises(Invalid) as refused:
        runs.supply(company.olivia, run_id, revision=None, step="note", values=values)
    assert [detail["field"] for detail in refused.value.details] == [field]


def test_only_what_was_handled_manually_is_missing(company: Company) -> None:
    run_id = begun(company)
    hand_in(company, run_id, values={"note": "Mine."})
    for name in ("note", "rate", "nowhere"):
        with pytest.raises(NotFound):
            runs.supply(company.olivia, run_id, revision=None, step=name, values={"amount": "1"})


HARMS = [
    ("update console.ai_call set status = 'failed', submitted_by = 'usr_nobody', cost = 7 where run = %s returning 1", "ai_call"),
    ("delete from console.ai_call where run = %s returning 1", "ai_call"),
    (
        "update console.ai_field set outcome = 'edited' where call in (select id from console.ai_call where run = %s) returning 1",
        "ai_field",
    ),
    ("delete from console.ai_field where call in (select id from console.ai_call where run = %s) returning 1", "ai_field"),
    (
        "insert into console.ai_call (id, at, run, purpose, mode, status) select 'aic_forged', now(), %s, 'propose', 'assist', 'ok' returning 1",
        "ai_call",
    ),
    ("update console.attempt set proposal = null where run = %s and proposal is not null returning 1", "attempt"),
]


@pytest.mark.parametrize(("harm", "table"), HARMS)
def test_the_log_brings_the_rows_back(company: Company, harm: str, table: str) -> None:
    run_id = begun(company)
    call = call_of(company, run_id)
    more: dict[str, Any] = {
        "usage": {"input": 900, "cached": 0, "output": 40},
        "cost": "0.00120",
        "price_version": "2026-11",
        "prompt_sha256": "ab",
        "from_cache": False,
    }
    made(call, value("note", "Looks fine."), value("amount", "12.50", "low"), dropped=[{"name": "note", "reason": "duplicate"}], **more)
    hand_in(company, run_id, values={"note": "Looks fine.", "amount": "1"})
    before = fetch("select to_jsonb(c) from console.ai_call c where run = %s order by id", (run_id,))
    assert fetch(harm, (run_id,))
    assert {each.table for each in runs.rebuild(run_id)} >= {table}
    assert list(runs.rebuild(run_id, check=True)) == []
    assert fetch("select to_jsonb(c) from console.ai_call c where run = %s order by id", (run_id,)) == before
    assert outcomes(call) == {"amount": "edited", "note": "accepted"}


# ---------------------------------------------------------------------------------------------------------------------- shown


def test_what_was_in_front_of_them_is_evidence(company: Company) -> None:
    run_id = begun(company)
    company.told(run_id)
    screens = fetch("select screen from console.shown where run = %s order by run_seq", (run_id,))
    assert all("proposal" not in screen for (screen,) in screens)
    made(call_of(company, run_id), value("note", "Looks fine."))
    company.told(run_id)
    (screen,) = fetch("select screen from console.shown where run = %s order by run_seq desc limit 1", (run_id,))[0]
    assert screen["proposal"]["fields"][0]["value"] == "Looks fine."


def test_replay_is_what_was_told(company: Company) -> None:
    run_id = begun(company)
    seen = [company.told(run_id)]
    made(call_of(company, run_id), value("note", "Looks fine.", "medium"))
    seen.append(company.told(run_id))
    seen.append(hand_in(company, run_id, values={"note": "Looks fine."}))
    made(call_of(company, run_id), value("risk", "low"), value("email", "a@customers.example"))
    seen.append(company.told(run_id))
    for told in seen:
        then = runs.replay(company.olivia, run_id, told["last_event"]).json["run"]
        assert {key: value for key, value in then.items() if key != "current"} == {
            key: value for key, value in told.items() if key != "current"
        }
        assert then["current"]["proposal"] == told["current"]["proposal"]


SECRET = "IE123"


def proposed_from_many(company: Company) -> str:
    """A run of Olivia's at the rating, with values that rest on a tax number, on another customer, and on the e-mail address."""
    run_id = at(company, "rate")
    tax = source("tax_id", quote=SECRET)
    other = source("iban", collection="account", record="LT459999900012345678", quote="LT45")
    risky = value("risk", "low", "high", tax) | {"reason": f"The tax number is {SECRET}."}
    made(call_of(company, run_id), risky, value("email", "a@customers.example", "high", other), banner=None)
    return run_id


def shut(who: str, obj: str) -> Row:
    return Row("p", f"user:{who}", "*", obj, "read", "deny")


def test_a_reader_sees_nothing_that_rests_on_a_field_hidden_from_them(company: Company) -> None:
    run_id = proposed_from_many(company)
    with ruled(shut(company.mona.id, "field:customer/tax_id")):
        view = runs.get(company.mona, run_id)
        risk = view.json["current"]["proposal"]["fields"][0]
        assert (risk["name"], risk["value"], risk["reason"], risk["sources"]) == ("risk", None, None, None)
        assert set(view.masked) >= {f"run.current.proposal.fields.0.{name}" for name in ("value", "reason", "sources")}
        assert view.json["current"]["proposal"]["fields"][1]["value"] == "a@customers.example"
        for told in (view.json, runs.replay(company.mona, run_id).json, runs.events(company.mona, run_id)[0]):
            assert SECRET not in str(told)
    assert SECRET in str(runs.get(company.mona, run_id).json)


def test_a_reader_sees_nothing_that_rests_on_records_they_may_not_read(company: Company) -> None:
    run_id = proposed_from_many(company)
    with ruled(shut(company.mona.id, "collection:account")):
        view = runs.get(company.mona, run_id)
        risk, email = view.json["current"]["proposal"]["fields"]
        assert risk["reason"] is not None
        assert (email["value"], email["reason"], email["sources"]) == (None, None, None)
        assert "run.current.proposal.fields.1.value" in view.masked
        replayed = runs.replay(company.mona, run_id)
        assert replayed.json["run"]["current"]["proposal"]["fields"][1]["sources"] is None
    assert company.told(run_id)["current"]["proposal"]["fields"][1]["reason"] == "Why email."


def test_who_reads_the_run_is_told_and_shown_no_more_than_the_person_it_is_for(company: Company) -> None:
    run_id = proposed_from_many(company)
    whole = company.told(run_id)["current"]["proposal"]
    assert runs.get(company.ada, run_id).json["current"]["proposal"]["call"] == whole["call"]
    runs.take_over(company.mona, run_id, revision=None)
    theirs = runs.get(company.mona, run_id).json["current"]["proposal"]
    assert (theirs["for"], theirs["fields"], theirs["status"]) == (company.mona.id, [], "pending")
    screen = fetch(
        "select screen from console.shown where run = %s and person = %s order by run_seq desc limit 1", (run_id, company.mona.id)
    )
    assert "proposal" not in screen[0][0]


# ---------------------------------------------------------------------------------------------------------------------- lists


LIST = {
    "items": {"relation": "account", "fields": ["iban", "status"]},
    "form": [{"name": "verdict", "label": "Verdict"}],
    "edit": [],
}


def listing(company: Company) -> str:
    """A run of Olivia's at the first of two accounts."""
    steps = [step("start", "start", "each"), step("each", "loop", "end", LIST) | {"ai": {}}, step("end", "end", None)]
    document = {"format": 1, "slug": "ai-list", "title": "List", "collection": "customer", "team": "operations", "steps": steps}
    workflows.import_file(document, publish=True)
    return runs.start(company.olivia, "ai-list", "customer", "1", {})


def test_a_proposal_is_for_the_item_whose_form_is_there(company: Company) -> None:
    run_id = listing(company)
    assert "proposal_requested" not in kinds(run_id), "before anybody looks it is not known for which item"
    told = company.told(run_id)
    first, second = (each["key"] for each in told["current"]["progress"]["items"])
    assert (told["current"]["proposal"]["status"], told["current"]["proposal"]["item"]) == ("pending", first)
    found = runs.proposal_context(told["current"]["proposal"]["call"])
    assert found is not None
    assert ([field.name for field in found.fields], found.prompt.progress.key) == (["verdict"], first)  # type: ignore[union-attr]
    turned = runs.get(company.olivia, run_id, second).json["current"]["proposal"]
    assert (turned["status"], turned["item"]) == ("pending", second)
    made(told["current"]["proposal"]["call"], value("verdict", "of the first"))
    assert runs.get(company.olivia, run_id, second).json["current"]["proposal"]["status"] == "pending"
    holds(run_id)


def test_what_was_proposed_for_one_item_is_not_compared_with_another(company: Company) -> None:
    run_id = listing(company)
    told = company.told(run_id)
    call = told["current"]["proposal"]["call"]
    first, second = (each["key"] for each in told["current"]["progress"]["items"])
    made(call, value("verdict", "fine"))
    runs.complete(company.olivia, run_id, step="each", revision=told["revision"], values={"item": second, "verdict": "fine"})
    assert outcomes(call) == {"verdict": None}
    told = company.told(run_id)
    assert told["current"]["proposal"]["item"] == first
    made(told["current"]["proposal"]["call"], value("verdict", "fine"))
    hand_in(company, run_id, values={"item": first, "verdict": "Fine"})
    assert outcomes(told["current"]["proposal"]["call"]) == {"verdict": "accepted"}
    holds(run_id)


def test_the_next_item_is_asked_for_when_it_is_shown_with_the_answer(company: Company) -> None:
    run_id = listing(company)
    told = company.told(run_id)
    item = told["current"]["progress"]["key"]
    view = runs.complete_and_look(company.olivia, run_id, step="each", revision=told["revision"], values={"item": item, "verdict": "fine"})
    proposal = view.json["current"]["proposal"]
    assert (proposal["status"], proposal["item"]) == ("pending", view.json["current"]["progress"]["key"])
    assert proposal["item"] != item
    runs.propose_again(company.olivia, run_id, revision=None)
    assert company.told(run_id)["current"]["proposal"]["call"] == proposal["call"]
    holds(run_id)


# ----------------------------------------------------------------------------------------------------------------------- kinds


OPTIONS = [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}]
ASKED = {"prompt": "What?", "output": [{"name": "answer", "label": "Answer"}]}
RULED = {"maker": "rule", "rules": [{"if": "record.risk == 'high'", "option": "yes"}], "options": OPTIONS}
FIND = {"items": {"relation": "account", "fields": ["iban", "status"]}}
SHOW = {
    "fields": ["email", "risk"],
    "related": [
        {"name": "accounts", "relation": "account", "fields": ["iban"]},
        {"name": "unseen", "relation": "account", "fields": ["iban"], "hidden": True},
    ],
}


def alone(company: Company, kind: str, config: dict[str, Any], record: str = "1", **more: Any) -> dict[str, Any]:
    """A run at a workflow's one step."""
    steps = [step("start", "start", "here"), step("here", kind, "end", config) | more, step("end", "end", None)]
    document = {"format": 1, "slug": "ai-alone", "title": "Alone", "collection": "customer", "team": "operations", "steps": steps}
    workflows.import_file(document, publish=True)
    return company.told(runs.start(company.olivia, "ai-alone", "customer", record, {}))


ASKED_AT: list[tuple[str, str, dict[str, Any], dict[str, Any], str | None, str | None]] = [
    ("a model that is not asked", "llm", ASKED, {"ai": {"mode": "off"}}, None, None),
    ("a model by itself that is not asked", "llm", ASKED, {"ai": {"mode": "off"}, "completion": "automatic"}, None, "off"),
    ("a model", "llm", ASKED, {}, "text", None),
    ("a choice", "decision", {"options": OPTIONS}, {"ai": {}}, "decide", None),
    ("a choice that no rule makes", "decision", RULED, {"ai": {}}, "decide", "no_rule"),
    ("a choice that is not asked for", "decision", {"options": OPTIONS}, {}, None, None),
    ("records to choose from", "load_related", FIND, {"ai": {}}, "propose", None),
    ("what is shown", "get_data", SHOW, {"ai": {}}, "propose", None),
    ("a form in shadow", "update_data", {"fields": ["email"]}, {"ai": {"mode": "shadow"}}, "propose", None),
    ("a form where it is off", "update_data", {"fields": ["email"]}, {"ai": {"mode": "off"}}, None, None),
]


@pytest.mark.parametrize(("why", "kind", "config", "more", "purpose", "code"), ASKED_AT, ids=[case[0] for case in ASKED_AT])
def test_where_something_is_asked(
    company: Company, why: str, kind: str, config: dict[str, Any], more: dict[str, Any], purpose: str | None, code: str | None
) -> None:
    assert why
    here = alone(company, kind, config, **more)["current"]
    assert (here["proposal"] or {}).get("purpose") == purpose
    assert (here["take_over"] or {}).get("code") == code
    assert here["form"] is not None


def test_one_of_the_records_is_chosen_by_a_name_that_tells_nothing(company: Company) -> None:
    told = alone(company, "load_related", FIND, ai={})
    found = runs.proposal_context(told["current"]["proposal"]["call"])
    assert found is not None
    (field,) = found.fields
    assert (field.name, field.opaque, len(field.options)) == ("key", True, 3)
    made(told["current"]["proposal"]["call"], value("key", field.options[0][0]))
    hand_in(company, told["id"], values={"key": field.options[0][0]})
    assert outcomes(told["current"]["proposal"]["call"]) == {"key": "accepted"}


def test_what_matters_of_what_is_shown_is_a_highlight_and_compared_with_nothing(company: Company) -> None:
    told = alone(company, "get_data", SHOW, ai={})
    call = told["current"]["proposal"]["call"]
    found = runs.proposal_context(call)
    assert found is not None
    assert [name for name, _ in found.fields[0].options] == ["email", "risk", "accounts.iban"]
    made(call, value("matters", ["email", "accounts.iban"]))
    assert company.told(told["id"])["current"]["proposal"]["fields"][0]["value"] == ["email", "accounts.iban"]
    assert hand_in(company, told["id"])["status"] == "completed"
    assert outcomes(call) == {"matters": None}


def test_only_the_fields_that_the_author_names_are_asked_for(company: Company) -> None:
    told = alone(
        company,
        "decision",
        {"options": OPTIONS, "form": [{"name": "a", "label": "A"}, {"name": "b", "label": "B"}]},
        ai={"fields": ["b"], "outcome": False},
    )
    found = runs.proposal_context(told["current"]["proposal"]["call"])
    assert found is not None
    assert ([field.name for field in found.fields], found.outcomes) == (["b"], ())
    assert told["current"]["proposal"]["asked"] == ["b"]
