"""A run that nobody holds and that cannot go on: its document says whether it asks an inbox or ends. Nothing is done in anybody else's name."""

from collections.abc import Iterator

import pytest

from console import runs, workflows
from console.auth import access, accounts
from console.core.errors import Conflict
from console.core.run.origin import RecordRef, StartedBy
from console.runs.store.run_store import load
from console.work import tickets
from tests.company import Company
from tests.support.acting import imported
from tests.support.engine import overdue, step, whole
from tests.support.paying import PAY, RECALL, Provider, providing

pytestmark = pytest.mark.slow
ROBOT = "robot@fernwick.test"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with providing(monkeypatch) as made:
        yield made


def paying(on_error: str, *, error: bool = False, **more: object) -> None:
    """Wait an hour, then pay, all by itself as a service account."""
    access.grant("operations_lead", "collection:customer", ["act"], team="operations")
    access.grant("operations_lead", "action:customer.pay", ["execute"], team="operations")
    imported(RECALL, PAY)
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    pay = step("pay", "trigger_action", "end", {"action": "customer.pay", "values": {"amount": "5"}}) | {
        "completion": "automatic"
    }
    if error:
        pay["next"]["error"] = "mended"
    steps = [
        step("start", "start", "pause"),
        step("pause", "wait", "pay", {"duration": "hours(1)"}),
        pay,
        *([step("mended", "output", "end", {"values": {"why": "steps.pay.error"}})] if error else []),
        step("end", "end", None),
    ]
    head = {
        "format": 1,
        "slug": "paying",
        "title": "Paying",
        "team": "operations",
        "collection": "customer",
        "run_as": ROBOT,
    }
    workflows.import_file(
        head | {"settings": {"on_error": on_error, "inbox": "desk", "retries": 0, **more}, "steps": steps},
        publish=True,
    )


def at_pay(company: Company) -> str:
    run_id = runs.start_hands_off(
        "paying", by=StartedBy("nightly", "schedule"), record=RecordRef("customer", "1"), values={}, key="k"
    )
    company.work()
    assert load(run_id).run.status == "waiting_time"  # type: ignore[union-attr]
    return run_id


def goes_on(company: Company, run_id: str) -> str:
    overdue(run_id)
    company.work()
    whole(run_id)
    return load(run_id).run.status  # type: ignore[union-attr]


def taken(company: Company, run_id: str) -> dict[str, object]:
    """The run as Mona has it, who took it from the desk."""
    ticket = next(each for each in tickets.to_do(company.mona, "desk").tickets if each.id == run_id)
    assert ticket.reason
    assert tickets.take(company.mona, "desk", run_id) == run_id
    return company.told(run_id, "mona")


WRONG = ("refuses", "closed", "no right", "record gone")


def wrong(company: Company, provider: Provider, what: str) -> None:
    match what:
        case "refuses":
            provider.mood = "refuses"
        case "closed":
            accounts.disable_person(accounts.person_of_email(ROBOT).id)
        case "no right":
            access.assign(accounts.person_of_email(ROBOT).id, [("reviewer", "operations")])
        case "record gone":
            company.sql("update account set customer_id = 2 where customer_id = 1")
            company.sql("delete from customer where id = 1")


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("on_error", ["ask", "fail"])
def test_what_goes_wrong_asks_the_inbox_or_ends_the_run(
    company: Company, provider: Provider, on_error: str, what: str
) -> None:
    paying(on_error)
    run_id = at_pay(company)
    wrong(company, provider, what)
    status = goes_on(company, run_id)
    assert provider.payments == []
    assert load(run_id).run.holder is None  # type: ignore[union-attr]
    if on_error == "fail":
        assert status == "failed"
        assert load(run_id).run.reason  # type: ignore[union-attr]
        return
    assert status == "waiting_person"
    if what == "record gone":
        return  # who has no scope finds it; nobody may take it
    told = taken(company, run_id)
    assert told["current"]["take_over"]["message"]  # type: ignore[index]
    provider.mood = "good"
    if what == "refuses":
        runs.retry(company.mona, run_id, revision=None)
        company.work()
        assert (provider.payments, load(run_id).run.status, load(run_id).run.holder) == (  # type: ignore[union-attr]
            [5],
            "completed",
            None,
        )
    else:
        told = company.told(run_id, "mona")
        submission = runs.Submission(
            step="pay",
            revision=told["revision"],  # type: ignore[arg-type]
            values={"amount": 4},
            handled_manually=True,
            reason="by hand",
        )
        runs.complete(company.mona, run_id, submission)
        assert (provider.payments, load(run_id).run.status) == ([4], "running")  # type: ignore[union-attr]
        company.work()  # its account is gone: the end asks again, or is reached
    whole(run_id)


def test_unknown_money_always_asks(company: Company, provider: Provider) -> None:
    define = {name: value for name, value in PAY["effects"][0].items() if name != "look_up"} | {
        "irreversible": True
    }
    paying("fail")
    imported(PAY | {"effects": [define]})
    run_id = at_pay(company)
    provider.mood = "deaf"
    assert goes_on(company, run_id) == "waiting_person"
    assert taken(company, run_id)["current"]["type"] == "settle"  # type: ignore[index]


def test_a_step_that_people_do_waits_in_the_inbox_and_then_nobody_holds_it(company: Company) -> None:
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    steps = [
        step("start", "start", "look"),
        step("look", "guidance", "say", {"text": "Look at this."}),
        step("say", "output", "end", {"values": {"who": "$currentUser.email"}}),
        step("end", "end", None),
    ]
    head = {"format": 1, "slug": "looking", "title": "Looking", "team": "operations", "run_as": ROBOT}
    workflows.import_file(head | {"settings": {"inbox": "desk"}, "steps": steps}, publish=True)
    run_id = runs.start(company.olivia, "looking", None, None)
    company.work()
    taken(company, run_id)
    company.answer(run_id, "mona")
    run = load(run_id).run  # type: ignore[union-attr]
    assert (run.status, run.holder) == ("running", None)
    company.work()
    told = company.told(run_id, "mona")
    assert (told["status"], told["context"]["say"]) == ("completed", {"who": ROBOT})


def test_a_run_that_moves_on_by_itself_is_cancelled_where_it_stands_and_one_that_somebody_holds_is_not(
    company: Company, provider: Provider
) -> None:
    """Who writes the reason saw an earlier revision: a busy run has another every second, and could never be ended."""
    paying("ask")
    run_id = at_pay(company)
    runs.cancel(company.mona, run_id, revision=load(run_id).run.revision - 1, reason="not needed")  # type: ignore[union-attr]
    assert load(run_id).run.status == "cancelled"  # type: ignore[union-attr]
    provider.mood = "refuses"
    held = runs.start_hands_off(
        "paying", by=StartedBy("nightly", "schedule"), record=RecordRef("customer", "2"), values={}, key="l"
    )
    company.work()
    goes_on(company, held)
    taken(company, held)
    with pytest.raises(Conflict, match="moved on"):
        runs.cancel(company.mona, held, revision=load(held).run.revision - 1, reason="not needed")  # type: ignore[union-attr]
