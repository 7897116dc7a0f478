"""Questions to other people while a run waits: who may answer, how many have to agree, and what happens when nobody does."""

from typing import Any

import pytest

from console import runs, workflows
from console.core.errors import Conflict, Invalid, NotFound
from console.infra import subjects
from console.infra.db.engine import fetch
from console.work import notices, questions
from tests.company import Company
from tests.support.engine import step, whole

ASK: dict[str, Any] = {
    "to": {"people": ["'tom@fernwick.example'", "'stan@fernwick.example'"], "roles": ["operations_lead"]},
    "question": "Is {{ record.display_name }} known to you?",
    "text": "About **{{ record.desk }}**",
    "form": [{"name": "how", "label": "How", "required": True}],
    "answers": [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}],
}


def begin(company: Company, config: dict[str, Any] | None = None) -> str:
    steps = [
        step("start", "start", "ask"),
        {
            "id": "ask",
            "type": "human_input",
            "title": "Ask",
            "completion": "automatic",
            "config": {**ASK, **(config or {})},
            "next": {"no": "sorry", "default": "fine"},
        },
        step("fine", "guidance", "end", {"text": "Fine"}),
        step("sorry", "guidance", "end", {"text": "Sorry"}),
        step("end", "end", None),
    ]
    document = {
        "format": 1,
        "slug": "asking",
        "title": "Asking",
        "collection": "customer",
        "team": "operations",
        "steps": steps,
    }
    workflows.import_file(document, publish=True)
    return runs.start(company.olivia, "asking", "customer", "1", {})


def test_one_answer_moves_the_run_and_says_whose_it_is(company: Company) -> None:
    run_id = begin(company)
    told = company.told(run_id)
    assert (told["status"], told["current"]["waiting"]["for"]) == ("waiting_event", "answer"), (
        "it is never skipped"
    )
    assert [len(questions.open_for(company.people[who])) for who in ("tom", "mona", "stan", "olivia")] == [
        1,
        1,
        0,
        0,
    ]
    (asked,) = questions.open_for(company.tom)
    assert (asked.title, asked.text, asked.about) == (
        "Is Adaeze Okonkwo-Bell known to you?",
        "About **Retail**",
        "Asking, Adaeze Okonkwo-Bell",
    )
    assert [one.href for one in notices.notices_of(company.tom)] == [f"/answers/{asked.id}"]
    wrong: list[tuple[dict[str, Any], str | None]] = [
        ({}, "yes"),
        ({"how": "x"}, None),
        ({"how": "x"}, "perhaps"),
        ({"how": "x", "more": 1}, "yes"),
    ]
    for values, outcome in wrong:
        with pytest.raises(Invalid):
            questions.answer(company.tom, asked.id, values, outcome)
    questions.answer(company.tom, asked.id, {"how": "From school"}, "no")
    told = company.told(run_id)
    assert told["current"]["step"] == "sorry"
    (given,) = told["context"]["ask"]["answers"]
    assert (given["by"], given["outcome"], given["values"]) == (company.tom.id, "no", {"how": "From school"})
    with pytest.raises(NotFound):
        questions.answer(company.mona, asked.id, {"how": "late"}, "yes")
    whole(run_id)


def test_as_many_have_to_agree_as_are_needed(company: Company) -> None:
    run_id = begin(company, {"needs": 2, "to": {"people": [], "team": "operations"}})
    (asked,) = questions.open_for(company.tom)
    questions.answer(company.tom, asked.id, {"how": "a"}, "yes")
    with pytest.raises(Conflict):
        questions.answer(company.tom, asked.id, {"how": "twice"}, "yes")
    questions.answer(company.mona, asked.id, {"how": "b"}, "no")
    assert company.told(run_id)["status"] == "waiting_event"
    assert [(name, words) for name, words, _ in questions.question(company.olivia, asked.id).answered] == [
        ("Tom", "Yes"),
        ("Mona", "No"),
    ]
    questions.answer(company.olivia, asked.id, {"how": "c"}, "yes")
    told = company.told(run_id)
    assert told["current"]["step"] == "fine"
    assert [entry["outcome"] for entry in told["context"]["ask"]["answers"]] == ["yes", "no", "yes"]


def test_who_is_not_asked_or_may_not_see_the_run_is_told_nothing(company: Company) -> None:
    begin(company)
    (asked,) = questions.open_for(company.tom)
    for who in ("stan", "olivia", "ada"):
        with pytest.raises(NotFound):
            questions.question(company.people[who], asked.id)
    for ident in ("ans_nowhere", "", "\x00"):
        with pytest.raises(NotFound):
            questions.question(company.tom, ident)
    company.sql("update customer set desk = 'corporate' where id = 1")
    with pytest.raises(NotFound):
        questions.answer(company.tom, asked.id, {"how": "x"}, "yes")


def test_when_the_time_is_over_the_chosen_outcome_is_taken(company: Company) -> None:
    run_id = begin(company, {"within": "days(1)", "otherwise": "no"})
    (asked,) = questions.open_for(company.tom)
    assert asked.until is not None
    fetch(
        "update console.run set waiting = jsonb_set(waiting, '{until}', '\"2020-01-01T00:00:00.000000Z\"') where id = %s returning 1",
        (run_id,),
    )
    company.work()
    assert company.told(run_id)["current"]["step"] == "sorry"
    assert questions.open_for(company.tom) == []


def test_the_holder_may_do_it_by_hand(company: Company) -> None:
    run_id = begin(company)
    runs.step_in(company.olivia, run_id, revision=None, reason="They are on leave")
    told = company.told(run_id)
    assert [option["value"] for option in told["current"]["outcomes"]] == ["yes", "no"]
    for outcome in (None, "perhaps"):
        with pytest.raises(Invalid):
            runs.complete(
                company.olivia,
                run_id,
                runs.Submission(step="ask", revision=None, values={"how": "x"}, outcome=outcome),
            )
    runs.complete(
        company.olivia,
        run_id,
        runs.Submission(step="ask", revision=None, values={"how": "I know"}, outcome="yes"),
    )
    told = company.told(run_id)
    assert (told["current"]["step"], told["context"]["ask"]["answers"][0]["by"]) == (
        "fine",
        company.olivia.id,
    )
    assert questions.open_for(company.tom) == []


@pytest.mark.parametrize(
    "config",
    [{"to": {"people": ["'stan@fernwick.example'"]}}, {"needs": 5}, {"within": "record.display_name"}],
)
def test_where_it_cannot_be_asked_the_holder_is(company: Company, config: dict[str, Any]) -> None:
    told = company.told(begin(company, config))
    assert (told["status"], told["current"]["step"]) == ("waiting_person", "ask")
    assert told["current"]["take_over"]["code"] in ("nobody_to_ask", "no_moment")


def test_a_run_whose_answer_was_given_by_a_process_that_died_goes_on(company: Company) -> None:
    run_id = begin(company)
    (asked,) = questions.open_for(company.tom)
    subject = asked.subject
    kid, nonce, ct = subjects.seal(subject, f"answer|{asked.id}|{company.tom.id}", {"how": "From school"})
    fetch(
        "insert into console.answer (question, person, outcome, at, kid, nonce, ct) values (%s, %s, 'yes', now() - interval '1 minute', %s, %s, %s) returning 1",
        (asked.id, company.tom.id, kid, nonce, ct),
    )
    assert (questions.pick_up(), questions.pick_up()) == (1, 0)
    told = company.told(run_id)
    assert (told["current"]["step"], told["context"]["ask"]["answers"][0]["values"]) == (
        "fine",
        {"how": "From school"},
    )
