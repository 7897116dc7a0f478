"""Who is behind a service account is not a second person: who made a key of it, and who set off the run that acts as it."""

from collections.abc import Callable

import pytest

from console import runs, workflows
from console.auth import accounts
from console.authoring import publication
from console.automation import enrolments
from console.automation.enrolments import Question
from console.core.actor import Actor
from console.core.errors import NotAllowed
from console.runs.commands.approval_requests import possible_approvers
from console.runs.store.run_store import load
from tests.authoring.publication.test_publishing_reviews import (
    CARE,
    live_title,
    second_lead as second_publisher,
    titled,
    wants_second,
)
from tests.company import Company
from tests.jobs import work_until_idle
from tests.runs.engine.test_hands_off import ROBOT, robot
from tests.support.four_eyes import asking, bank, charging, step, waiting_for
from tests.work.test_approvals import second_lead

__all__ = ["bank"]


def by_key(account: accounts.Person, maker: Actor) -> Actor:
    """The account as whoever `maker` gave a key of it to."""
    actor = accounts.actor_of_key(accounts.create_key("tests", account.id, by=maker).text)
    assert actor is not None
    return actor


def rule_of(way: Callable[[], object]) -> str:
    with pytest.raises(NotAllowed) as refused:
        way()
    assert refused.value.code == "separation_of_duties"
    return str(refused.value.details[0]["reason"])


def test_who_made_a_key_of_the_account_does_not_approve_what_it_asks_for(bank: Company) -> None:
    charging()
    program = by_key(robot(), bank.mona)
    run_id = runs.start(program, "charging", "customer", "1")
    for values in ({"note": "By a program."}, {"amount": "300"}):
        told = runs.get(program, run_id).json
        runs.complete(
            program,
            run_id,
            runs.Submission(step=told["current"]["step"], revision=told["revision"], values=values),
        )
    asked, lena = waiting_for(run_id), second_lead(bank)
    assert rule_of(lambda: runs.approve(bank.mona, asked)) == "requester"
    assert rule_of(lambda: runs.reject(bank.mona, asked, reason="No.")) == "requester"
    run = load(run_id, whole=True).run  # type: ignore[union-attr]
    able = possible_approvers(run, run.approval(asked)[1])  # type: ignore[index]
    assert {who: able[who] is None for who in (bank.mona.id, lena.id)} == {bank.mona.id: False, lena.id: True}
    runs.approve(lena, asked)


@pytest.mark.parametrize("way", ["by hand", "enrolled"])
def test_who_set_off_a_run_that_acts_as_an_account_does_not_approve_what_it_asks_for(
    bank: Company, way: str
) -> None:
    robot()
    ask = {"text": "May this go on?", "roles": ["lead"], "not_by": ["requester"]}
    steps = [
        step("start", "start", default="ask"),
        step("ask", "approval", ask, approved="end", rejected="end"),
        step("end", "end"),
    ]
    document = {
        "format": 1,
        "slug": "by-robot",
        "title": "By robot",
        "team": "operations",
        "collection": "customer",
        "run_as": ROBOT,
        "steps": steps,
    }
    workflows.import_file(document, publish=True)
    if way == "by hand":
        run_id = runs.start(bank.mona, "by-robot", "customer", "1")
    else:
        enrolments.batches.begin(bank.mona, "by-robot", Question(keys=["1"]))
        work_until_idle({"enrol"})
    bank.work()
    run_id = (
        run_id
        if way == "by hand"
        else str(enrolments.places.page(bank.mona, enrolments.find("by-robot"), paths=True).rows[0].run)
    )
    asked = waiting_for(run_id)
    assert rule_of(lambda: runs.approve(bank.mona, asked)) == "requester"
    runs.approve(second_lead(bank), asked)


def test_a_program_answers_no_request(bank: Company) -> None:
    asking()
    run_id = runs.start(bank.olivia, "asking", "customer", "1")
    bank.answer(run_id, note="All clear.")
    with pytest.raises(NotAllowed, match="needs the yes of"):
        runs.approve(by_key(robot(), bank.ines), waiting_for(run_id))


def test_who_made_the_key_does_not_confirm_a_step_and_comes_to_none_with_it(company: Company) -> None:
    document = {
        "format": 1,
        "slug": "apart",
        "title": "Apart",
        "team": "operations",
        "collection": "customer",
        "steps": [
            step("start", "start", default="first"),
            step("first", "guidance", {"text": "1"}, default="second"),
            step("second", "guidance", {"text": "2"}, default="end") | {"not_by": ["step:first"]},
            step("end", "end"),
        ],
    }
    workflows.import_file(document, publish=True)
    program = by_key(robot(), company.mona)
    for doer, other in ((program, company.mona), (company.mona, program)):
        run_id = runs.start(doer, "apart", "customer", "1" if doer is program else "2")
        told = runs.get(doer, run_id).json
        runs.complete(doer, run_id, runs.Submission(step="first", revision=told["revision"], values={}))
        runs.save(doer, run_id, revision=None)
        assert (
            rule_of(lambda other=other, run_id=run_id: runs.resume(other, run_id, revision=None))  # type: ignore[misc]
            == "step:first"
        )
        runs.resume(company.olivia, run_id, revision=None)


def test_who_made_the_key_does_not_approve_what_it_asks_to_publish(company: Company) -> None:
    wants_second(company)
    tom = second_publisher(company)
    program = by_key(robot(), tom)
    titled(program, "By a program")
    review = publication.ask_for_review(program, CARE, note="Clearer")
    assert rule_of(lambda: publication.approve(tom, review.id)) == "starter"
    assert [workflows.to_decide(who) == [] for who in (tom, company.mona)] == [True, False]
    assert tom.id not in workflows.possible_reviewers(review, review.requested_by)
    publication.approve(company.mona, review.id)
    assert live_title() == "By a program"
