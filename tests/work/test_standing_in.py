"""Somebody is away: who stands in sees what waits, is told, and does of it what their own rights allow; both names stand in log and page."""

from datetime import date, timedelta
from typing import Any, cast

import pytest

from console import activity, log, runs
from console.auth import accounts
from console.auth.accounts import absences
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.infra.db.engine import fetch
from console.log import event_view
from console.records import catalogue
from console.runs.commands.approval_answers import visible_request
from console.runs.views.candidates import candidates
from console.work import approvals, approvers, my_work, notices, questions, substitutions, tasks
from tests.company import Company
from tests.support.four_eyes import asking, bank, charging, requested, status, whole
from tests.work import test_answers, test_tasks
from tests.work.test_approvals import second_lead

__all__ = ["bank"]

pytestmark = pytest.mark.lengthy


def days(first: int = 0, last: int = 2) -> dict[str, date]:
    today = log.now().date()
    return {"first": today + timedelta(days=first), "last": today + timedelta(days=last)}


def gone(company: Company, who: str, deputy: str) -> absences.Absence:
    return absences.plan(
        company.people[who], company.people[who].id, **days(), substitute=f"{deputy}@fernwick.example"
    )


def texts(company: Company, who: str) -> list[str]:
    return [notice.text for notice in notices.notices_of(company.people[who])]


def test_who_says_when_they_are_away_and_who_may_say_it_of_others(company: Company) -> None:
    kept = gone(company, "tom", "olivia")
    assert (kept.substitute_name, list(absences.people_away()), absences.stood_in_for(company.olivia.id)) == (
        "Olivia",
        [company.tom.id],
        (company.tom.id,),
    )
    with pytest.raises(Conflict, match="already"):
        gone(company, "tom", "mona")
    for wrong in (
        {"substitute": "tom@fernwick.example"},
        {"substitute": "nobody@fernwick.example"},
        {"substitute": "\x00"},
        days(-3, -1),
        days(2, 1),
        days(0, 500),
        {"first": None},
    ):
        with pytest.raises(Invalid):
            absences.plan(
                company.tom,
                company.tom.id,
                **cast("Any", {**days(10, 11), "substitute": "mona@fernwick.example", **wrong}),
            )
    for who in ("olivia", "mona", "stan"):
        with pytest.raises(NotAllowed):
            absences.plan(
                company.people[who], company.tom.id, **days(20, 21), substitute="olivia@fernwick.example"
            )
        with pytest.raises(NotAllowed):
            absences.take_back(company.people[who], kept.id)
    by_admin = absences.plan(
        company.people["ines"], company.tom.id, **days(20, 21), substitute="mona@fernwick.example"
    )
    assert [one.id for one in absences.absences_of(company.tom, company.tom.id)] == [kept.id, by_admin.id]
    with pytest.raises(NotFound):
        absences.take_back(company.people["ines"], kept.id, company.mona.id)
    absences.take_back(company.tom, kept.id)
    assert (absences.people_away(), absences.stood_in_for(company.olivia.id)) == ({}, ())
    noted = (
        fetch("select count(*) from console.activity where kind = 'absence_changed'")
        if activity.sequencing.sequence() is not None
        else []
    )
    assert noted[0][0] == 3


def test_a_substitute_who_is_away_is_followed_by_their_own_and_a_circle_ends(company: Company) -> None:
    gone(company, "tom", "olivia")
    gone(company, "olivia", "mona")
    assert absences.stood_in_for(company.mona.id) == tuple(sorted([company.tom.id, company.olivia.id]))
    assert absences.stood_in_for(company.olivia.id) == ()
    gone(company, "mona", "tom")
    assert [
        absences.substitute_of(each, absences.people_away()) for each in (company.tom.id, company.mona.id)
    ] == [
        None,
        None,
    ]
    assert "nobody stands in" in absences.away_words([company.tom.id])[company.tom.id]
    accounts.remove_person(company.people["ines"], company.mona.id, "CONFIRM REMOVE")
    assert set(absences.people_away()) == {company.tom.id}


def test_an_approval_follows_to_whoever_stands_in_and_both_are_named(bank: Company) -> None:
    charging(roles=["operations_lead"])
    lena = second_lead(bank)
    run_id, asked = requested(bank)
    assert substitutions.undecidable(bank.mona, bank.mona.id, lena.id) == []
    asking(roles=["operations_lead"])
    assert substitutions.undecidable(bank.mona, bank.mona.id, bank.tom.id) == ["Asking"]
    assert substitutions.undecidable(bank.people["stan"], bank.mona.id, bank.tom.id) == [], (
        "what the reader may not see"
    )
    gone(bank, "mona", "lena")
    lena = accounts.actor_of_person(accounts.person_of_email("lena@fernwick.example").id)
    assert approvers.words(bank.olivia, asked) == "Waiting for Lena or others to approve."
    until = days()["last"]
    assert approvers.deciders(visible_request(bank.olivia, asked)) == [
        ("Lena", ""),
        ("Mona", f"away until {until.day} {until:%B %Y}, Lena stands in"),
    ]
    runs.approve(lena, asked)
    (event,) = [event for event in log.events_of(run_id) if event.type == "approval_decided"]
    assert event.open["stands_in_for"] == [bank.mona.id]
    assert event_view.sentence(event, event_view.names_of([event], described=catalogue.described)).endswith(
        "in place of Mona"
    )
    line = approvals.get(bank.olivia, asked).line
    assert (line.to_json()["decided"][0]["stands_in_for"], line.names[bank.mona.id]) == (
        [bank.mona.id],
        "Mona",
    )
    whole(run_id)


def test_standing_in_gives_no_right_and_breaks_no_rule_of_four_eyes(bank: Company) -> None:
    charging(roles=["operations_lead"])
    for deputy in ("tom", "stan", "olivia"):
        run_id, asked = requested(bank, record={"tom": "1", "stan": "2", "olivia": "4"}[deputy])
        kept = gone(bank, "mona", deputy)
        with pytest.raises((NotAllowed, NotFound)):
            runs.approve(bank.people[deputy], asked)
        assert substitutions.pass_on() == 1
        assert not any("approval is asked" in text for text in texts(bank, deputy)), (
            "who may not decide is not told"
        )
        assert status(bank, asked) == "open"
        waited = [
            away for name, away in approvers.deciders(visible_request(bank.olivia, asked)) if name == "Mona"
        ]
        assert waited[0].endswith("nobody stands in"), "who may not decide is not said to stand in"
        absences.take_back(bank.mona, kept.id)
        whole(run_id)


def test_notices_tasks_and_questions_follow_and_come_back(company: Company) -> None:
    task_run = test_tasks.begin(company, {"assignee": "'tom@fernwick.example'", "waits": True})
    test_answers.begin(company, {"needs": 2})
    gone(company, "tom", "olivia")
    assert substitutions.pass_on() == 2
    assert (substitutions.pass_on(), sorted(texts(company, "olivia"))) == (
        0,
        [
            "In place of Tom: A task for you, “Look at Adaeze Okonkwo-Bell”",
            "In place of Tom: You are asked something",
        ],
    )
    (task,), (asked,) = tasks.tasks_of(company.olivia), questions.open_for(company.olivia)
    assert (task.assignee, task.away.endswith("Olivia stands in"), asked.stands_in_for) == (
        "Tom",
        True,
        company.tom.id,
    )
    tasks.close(company.olivia, task.id, "done")
    assert [(one.closed_by, one.closed_for) for one in tasks.closed(company.olivia)] == [("Olivia", "Tom")]
    assert company.told(task_run)["current"]["step"] == "fine"
    questions.answer(company.olivia, asked.id, {"how": "he told me"}, "yes")
    for who in ("tom", "olivia"):
        with pytest.raises(Conflict):
            questions.answer(company.people[who], asked.id, {"how": "twice"}, "yes")
    assert questions.open_for(company.tom) == [], "one seat has one answer"
    assert [words for words, *_ in questions.question(company.mona, asked.id).answered] == [
        "Olivia in place of Tom"
    ]


def test_what_the_substitute_may_not_see_stays_with_whoever_is_away(company: Company) -> None:
    test_tasks.begin(company, {"assignee": "'tom@fernwick.example'"})
    gone(company, "tom", "stan")
    substitutions.pass_on()
    assert (texts(company, "stan"), tasks.tasks_of(company.stan), my_work.work_of(company.stan).instead) == (
        [],
        [],
        [],
    )
    (task,) = tasks.tasks_of(company.tom)
    with pytest.raises(NotFound):
        tasks.close(company.stan, task.id, "done")


def test_runs_in_hand_are_shown_and_new_ones_go_to_the_substitute(company: Company) -> None:
    held = runs.start(company.tom, "care-review", "customer", "1", {"why": "periodic"})
    new = runs.start(company.olivia, "care-review", "customer", "2", {"why": "periodic"})
    gone(company, "tom", "olivia")
    runs.start(company.mona, "care-review", "customer", "4", {"why": "periodic"})
    assert [(head.id, name) for head, name in my_work.work_of(company.olivia).instead] == [(held, "Tom")]
    runs.assign(company.mona, new, revision=None, user=company.mona.id)
    runs.assign(company.mona, new, revision=None, user=company.tom.id)
    assert company.told(new)["holder"] == company.olivia.id
    (*_, event) = [event for event in log.events_of(new) if event.type == "run_assigned"]
    assert (event.open["holder"], event.open["stands_in_for"]) == (company.olivia.id, company.tom.id)
    assert [one.name for one in candidates(company.mona, held) if one.away] == []
    assert [one.away[:10] for one in candidates(company.mona, new) if one.name == "Tom"] == ["away until"]
