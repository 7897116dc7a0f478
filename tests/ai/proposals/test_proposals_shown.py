"""What was proposed as its readers are told of it: evidence, replay, and nothing that rests on what they may not see."""

from console import runs
from console.auth.access import Row
from console.infra.db.engine import fetch
from tests.company import Company
from tests.runs.commands.test_midway import ruled
from tests.support.proposing_runs import at, begun, call_of, hand_in, made, source, value


def test_what_was_in_front_of_them_is_evidence(company: Company) -> None:
    run_id = begun(company)
    company.told(run_id)
    screens = fetch("select screen from console.shown where run = %s order by run_seq", (run_id,))
    assert all("proposal" not in screen for (screen,) in screens)
    made(call_of(company, run_id), value("note", "Looks fine."))
    company.told(run_id)
    (screen,) = fetch(
        "select screen from console.shown where run = %s order by run_seq desc limit 1", (run_id,)
    )[0]
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
        assert set(view.masked) >= {
            f"run.current.proposal.fields.0.{name}" for name in ("value", "reason", "sources")
        }
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
        "select screen from console.shown where run = %s and person = %s order by run_seq desc limit 1",
        (run_id, company.mona.id),
    )
    assert "proposal" not in screen[0][0]
