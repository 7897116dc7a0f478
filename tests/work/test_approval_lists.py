"""Lists of requests for approval, and who is waited for."""

import pytest

from console import runs
from console.auth import access, accounts
from console.auth.access import Row, policy_store
from console.core.errors import ConsoleError
from console.infra.db.engine import transaction
from console.runs.commands import approval_answers
from console.work import approvals, approvers
from tests.company import Company
from tests.support.four_eyes import asking, bank, charging, requested

__all__ = ["bank"]


def test_the_lists_hold_what_belongs_there(bank: Company) -> None:
    charging()
    asking()
    _, first = requested(bank, record="1")
    _, second = requested(bank, record="2", by="tom")
    _, third = requested(bank, slug="asking", record="3")
    mona, olivia, tom = bank.mona, bank.olivia, bank.tom

    def ids(page: approvals.Page) -> list[str]:
        return [line.id for line in page.lines]

    assert ids(approvals.to_review(mona)) == [third, second, first]
    assert approvals.waiting(mona) == 3
    assert ids(approvals.to_review(olivia)) == ids(approvals.history(mona)) == []
    assert ids(approvals.created(olivia)) == [third, first]
    assert ids(approvals.created(tom)) == [second]
    assert ids(approvals.find(tom)) == [second, first], "the third is of a desk that Tom does not see"
    assert ids(approvals.find(bank.stan)) == []
    runs.approve(mona, first)
    runs.reject(mona, second, reason="No.")
    assert (ids(approvals.to_review(mona)), ids(approvals.history(mona))) == ([third], [second, first])
    assert ids(approvals.find(mona, {"status": "rejected"})) == [second]
    assert ids(approvals.find(mona, {"requester": olivia.id, "action": "customer.charge"})) == [first]
    assert ids(approvals.find(mona, {"run": approvals.get(mona, third).run["id"]})) == [third]
    assert ids(approvals.find(mona, {"team": "operations", "created_at.lt": "2020-01-01T00:00:00Z"})) == []
    page = approvals.find(mona, limit=2)
    assert ids(page) == [third, second]
    assert ids(approvals.find(mona, limit=2, after=page.next)) == [first]


@pytest.mark.slow
@pytest.mark.parametrize(
    "how", ["nobody", "cannot see", "out of scope", "kept out", "closed", "no right", "there is one"]
)
def test_who_is_waited_for_are_exactly_those_whose_yes_is_taken(bank: Company, how: str) -> None:
    charging(roles=["lead"] if how != "no right" else ["reviewer"], not_by=["requester", "step:note"])
    run_id, asked = requested(bank)
    mona = bank.mona.id
    match how:
        case "nobody":
            access.assign(mona, [("operator", "operations")])
        case "cannot see":
            deny("lead", "workflow:charging", "see")
        case "out of scope":
            deny("lead", "collection:customer", "read", "record.id == 1")
        case "kept out":
            runs.assign(bank.mona, run_id, revision=None, user=mona)
            runs.revise(bank.mona, run_id, revision=None, step="note", attempt=None, reason="Mine.")
            bank.answer(run_id, "mona", note="x")
            bank.answer(run_id, "mona", amount="300")
            asked = str(bank.told(run_id, "mona")["current"]["waiting"]["key"])
        case "closed":
            accounts.disable_person(mona)
    could = []
    for name, person in bank.people.items():
        try:
            found = approval_answers.visible_request(accounts.actor_of_person(person.id), asked)
        except ConsoleError:
            continue
        could += (
            [name.title()]
            if approval_answers.why_refused(accounts.actor_of_person(person.id), found) is None
            else []
        )
    looker = bank.olivia
    assert (
        [name for name, _ in approvers.deciders(approval_answers.visible_request(looker, asked))],
        bool(could),
    ) == (
        could,
        how == "there is one",
    )
    told = approvers.words(looker, asked)
    said = {
        "nobody": "Nobody in Operations has that role.",
        "cannot see": "Mona may not see this run",
        "out of scope": "Mona may not see this run",
        "kept out": "Mona may not decide about it by its rules",
        "closed": "Nobody in Operations has that role.",
        "no right": "Rosa may not approve it",
        "there is one": "Waiting for Mona to approve",
    }[how]
    assert said in told
    assert ("Ines can give somebody the role" in told) == (how != "there is one"), "whom to ask"


def deny(role: str, obj: str, act: str, when: str = "") -> None:
    with transaction() as connection:
        policy_store.write(
            connection, added=[Row("p", f"role:{role}", "*", obj, act, "deny", when)], by="test"
        )
    access.refresh()
