"""A run walked through the services, as pages and API do: what is committed, shown, kept and refused."""

from collections.abc import Callable
from typing import Any

import pytest

from console import log, runs, workflows
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.company import DOCUMENT, Company


def kinds(run_id: str) -> list[str]:
    """Kinds of the run's events."""
    return [event.type for event in log.events_of(run_id)]


def test_a_run_from_start_to_end(company: Company) -> None:
    run_id = company.finished()
    told = company.told(run_id)
    assert (told["status"], told["current"], told["ending"], told["holder"]) == (
        "completed",
        None,
        "Approved",
        None,
    )
    assert [each["step"] for each in told["attempts"]] == [
        "start",
        "load",
        "read",
        "note",
        "rate",
        "is_high",
        "decide",
        "result",
        "end",
    ]
    assert {each["status"] for each in told["attempts"]} == {"done"}
    assert told["context"]["load"]["record"]["display_name"] == "Adaeze Okonkwo-Bell"
    assert [each["iban"] for each in told["context"]["load"]["accounts"]] == ["LT459999900012345678"]
    assert company.sql("select risk from customer where id = 1") == [("low",)]
    assert [event.n for event in log.events_of(run_id)] == list(range(1, told["last_event"] + 1))


def test_who_may_not_start(company: Company) -> None:
    for name in ("stan", "rosa", "ada", "ines"):
        with pytest.raises((NotFound, NotAllowed)):
            company.started(by=name)


def test_a_record_out_of_scope_starts_nothing(company: Company) -> None:
    with pytest.raises(NotFound):
        company.started("3", by="tom")
    assert company.started("3", by="olivia")


def test_what_was_shown_is_an_event_once_and_again_only_when_it_differs(company: Company) -> None:
    run_id = company.started()
    first = company.told(run_id)
    assert company.told(run_id)["last_event"] == first["last_event"]
    assert kinds(run_id).count("step_shown") == 1
    company.sql("update customer set display_name = 'Adaeze Bell' where id = 1")
    assert company.told(run_id)["last_event"] == first["last_event"] + 1
    assert company.told(run_id, "tom")["revision"] == first["revision"]
    assert kinds(run_id).count("step_shown") == 3


def test_completing_answers_the_next_screen_and_notes_it_in_the_same_transaction(company: Company) -> None:
    run_id = company.at("note")
    told = company.told(run_id)
    view = runs.complete_and_look(
        company.olivia,
        run_id,
        runs.Submission(step="note", revision=told["revision"], values={"note": "Looked at it."}),
    )
    assert kinds(run_id)[told["last_event"] :] == ["step_completed", "step_entered", "step_shown"]
    assert len({event.at for event in log.events_of(run_id)[told["last_event"] :]}) == 1
    again = runs.get(company.olivia, run_id)
    assert (again.json, again.screen, again.can, again.steps) == (
        view.json,
        view.screen,
        view.can,
        view.steps,
    )
    assert view.json["last_event"] == told["last_event"] + 3
    assert runs.replay(company.olivia, run_id).json["run"] == view.json


def test_drafts_survive_saving_and_are_given_to_who_resumes(company: Company) -> None:
    run_id = company.at("note")
    told = company.told(run_id)
    runs.draft(company.olivia, run_id, step="note", revision=told["revision"], values={"note": "half a sent"})
    after = company.told(run_id)
    assert (after["last_event"], after["revision"]) == (told["last_event"], told["revision"])
    assert after["current"]["draft"]["values"] == {"note": "half a sent"}
    runs.save(company.olivia, run_id, revision=after["revision"])
    saved = company.told(run_id)
    assert (saved["status"], saved["holder"]) == ("saved", None)
    runs.resume(company.tom, run_id, revision=saved["revision"])
    resumed = company.told(run_id, "tom")
    assert resumed["holder"] == company.tom.id
    assert resumed["current"]["draft"]["values"] == {"note": "half a sent"}
    company.answer(run_id, "tom", note="a whole sentence")
    assert company.told(run_id, "tom")["current"]["draft"] is None
    handed_over = next(event for event in log.events_of(run_id) if event.type == "run_saved")
    assert handed_over.values == {"draft": {"note": "half a sent"}}


def test_two_people_at_one_step(company: Company) -> None:
    run_id = company.at("note")
    told = company.told(run_id, "tom")
    with pytest.raises(Conflict) as refused:
        company.answer(run_id, "tom", told, note="mine")
    assert refused.value.code == "not_holder"
    company.answer(run_id, note="hers")
    with pytest.raises(Conflict) as late:
        company.answer(run_id, "olivia", told, note="from yesterday's tab")
    assert late.value.code == "stale_revision"
    assert company.told(run_id)["context"]["note"]["note"] == "hers"


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"no_such_field": 1}, ["no_such_field", "note"]),
    ({"note": ""}, ["note"]),
    ({"note": "x\x00y"}, ["note"]),
    ({"note": 7}, ["note"]),
    ({"note": "fine", "count": "many"}, ["count"]),
    ({"note": "fine", "count": 1.5}, ["count"]),
]


def test_wrong_values_name_their_fields_and_change_nothing(company: Company) -> None:
    run_id = company.at("note")
    before = company.told(run_id)
    for values, fields in WRONG:
        with pytest.raises(Invalid) as told:
            company.answer(run_id, **values)
        assert sorted({detail["field"] for detail in told.value.details}) == fields, values
    assert company.told(run_id) == before


def test_a_write_is_compared_with_what_was_seen(company: Company) -> None:
    run_id = company.at("rate")
    told = company.told(run_id)
    company.sql("update customer set email = 'new@customers.example' where id = 1")
    company.answer(run_id, "olivia", told, risk="high", email="mine@customers.example")
    after = company.told(run_id)
    assert (after["status"], after["current"]["step"]) == ("waiting_person", "rate")
    assert after["current"]["errors"][0]["field"] == "email"
    values = {each["name"]: (each["value"], each["now"]) for each in after["current"]["form"]["fields"]}
    assert values == {"risk": ("high", None), "email": ("mine@customers.example", "new@customers.example")}
    assert company.sql("select risk, email from customer where id = 1") == [(None, "new@customers.example")]
    company.answer(run_id, risk="high", email="mine@customers.example")
    assert company.sql("select risk, email from customer where id = 1") == [
        ("high", "mine@customers.example")
    ]
    assert [each["status"] for each in company.told(run_id)["attempts"][4]["effects"]] == [
        "failed",
        "succeeded",
    ]


def test_abort_keeps_the_reason_out_of_the_body(company: Company) -> None:
    run_id = company.started()
    runs.abort(
        company.olivia, run_id, revision=company.told(run_id)["revision"], reason="Only a try of Adaeze."
    )
    told = company.told(run_id)
    assert (told["status"], told["reason"]) == ("aborted", "Only a try of Adaeze.")
    assert all(
        b"Adaeze" not in event.leaf and "Adaeze" not in str(event.body) for event in log.events_of(run_id)
    )


def test_a_deleted_record_stops_the_step_and_keeps_what_was_typed(company: Company) -> None:
    run_id = company.at("note")
    told = company.told(run_id)
    runs.draft(company.olivia, run_id, step="note", revision=told["revision"], values={"note": "typed"})
    company.sql("delete from customer where id = 1")
    view = runs.get(company.olivia, run_id)
    assert view.gone
    assert "complete" not in view.can
    with pytest.raises(Conflict) as refused:
        company.answer(run_id, "olivia", told, note="typed")
    assert refused.value.code == "record_gone"
    assert company.told(run_id)["current"]["draft"]["values"] == {"note": "typed"}
    runs.abort(company.olivia, run_id, revision=told["revision"], reason="The record is gone.")


def test_a_record_that_leaves_the_scope_takes_the_run_with_it(company: Company) -> None:
    run_id = company.at("note", by="tom")
    company.sql("update customer set desk = 'corporate' where id = 1")
    with pytest.raises(NotFound):
        runs.get(company.tom, run_id)
    assert company.told(run_id, "mona")["id"] == run_id


def test_a_source_that_is_away_makes_a_take_over_and_trying_again_goes_on(company: Company) -> None:
    company.path.rename(company.path.with_suffix(".away"))
    company.path.mkdir()
    with pytest.raises(Exception, match="answer|reach|open|source"):
        company.started()
    company.path.rmdir()
    company.path.with_suffix(".away").rename(company.path)
    assert company.started()


def test_a_stranger_finds_no_run_by_any_call(company: Company) -> None:
    run_id, stranger = company.at("note"), company.stan
    calls: list[Callable[[], object]] = [
        lambda: runs.get(stranger, run_id),
        lambda: runs.complete(stranger, run_id, runs.Submission(step="note", revision=1, values={})),
        lambda: runs.draft(stranger, run_id, step="note", revision=1, values={}),
        lambda: runs.save(stranger, run_id, revision=1),
        lambda: runs.resume(stranger, run_id, revision=1),
        lambda: runs.take_over(stranger, run_id, revision=1),
        lambda: runs.release(stranger, run_id, revision=1),
        lambda: runs.abort(stranger, run_id, revision=1, reason="x"),
        lambda: runs.cancel(stranger, run_id, revision=1, reason="x"),
        lambda: runs.revise(stranger, run_id, revision=1, step="note", attempt=None, reason="x"),
        lambda: runs.retry(stranger, run_id, revision=1),
        lambda: runs.settle(stranger, run_id, revision=1, effect="eff_x", done=True, reason="x"),
        lambda: runs.preview(stranger, run_id, "note"),
        lambda: runs.events(stranger, run_id),
        lambda: runs.replay(stranger, run_id, 1),
        lambda: runs.source_opened(stranger, run_id, source="related"),
    ]
    for call in calls:
        with pytest.raises(NotFound):
            call()
    assert runs.find(stranger) == ([], None)
    assert runs.on_record(stranger, "customer", "1") == []
    assert runs.to_continue(stranger) == []
    assert log.events_of(run_id)[-1].body["actor"]["id"] != stranger.id


def test_readers_see_and_change_nothing(company: Company) -> None:
    run_id = company.at("note")
    before = kinds(run_id)
    for name in ("rosa", "ada", "ines"):
        view = runs.get(company.people[name], run_id)
        assert view.can == frozenset()
        with pytest.raises((NotAllowed, Conflict)):
            runs.save(company.people[name], run_id, revision=view.json["revision"])
    assert kinds(run_id) == before


def test_a_step_of_another_role_is_neither_resumed_nor_taken_over(company: Company) -> None:
    """The step may be looked at, and the view says what is lacking."""
    document = {
        **DOCUMENT,
        "steps": [
            {**each, "roles": ["lead"]} if each["id"] == "note" else each for each in DOCUMENT["steps"]
        ],
    }
    workflows.import_file(document, publish=True)
    run_id = company.at("read")
    company.answer(run_id)
    told = company.told(run_id)
    view = runs.get(company.olivia, run_id)
    assert "lead" in (view.lacking or "")
    assert "complete" not in view.can
    with pytest.raises(NotAllowed):
        company.answer(run_id, note="mine")
    runs.save(company.olivia, run_id, revision=told["revision"])
    revision = company.told(run_id)["revision"]
    assert "resume" not in runs.get(company.tom, run_id).can
    with pytest.raises(NotAllowed):
        runs.resume(company.tom, run_id, revision=revision)
    runs.resume(company.mona, run_id, revision=revision)
    runs.release(company.mona, run_id, revision=company.told(run_id, "mona")["revision"])
    with pytest.raises(NotAllowed):
        runs.take_over(company.tom, run_id, revision=company.told(run_id, "mona")["revision"])
    assert runs.get(company.mona, run_id).lacking is None


def test_a_field_that_was_not_sent_is_left_to_whoever_changed_it_meanwhile(company: Company) -> None:
    run_id = company.at("rate")
    told = company.told(run_id)
    company.sql("update customer set email = 'new@customers.example' where id = 1")
    company.answer(run_id, "olivia", told, risk="high")
    assert company.sql("select risk, email from customer where id = 1") == [("high", "new@customers.example")]
    assert company.told(run_id)["current"]["step"] == "decide"
