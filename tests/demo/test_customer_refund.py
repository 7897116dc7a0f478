"""Customer refund at Fernwick Pay, scenario by scenario: what goes out, what later in the books, who had to agree."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import g

from console import access, accounts, faults, log, queue, runs, settings
from console.activity import sequencing
from console.core.run import Run
from console.db.engine import fetch
from console.demo import ledger, payments, stories
from console.demo.support_tickets import GRETA_TEXT
from console.effects import later_results
from console.errors import Conflict, ConsoleError, Invalid
from console.postgres import Embedded
from console.runs.rows.run_store import load
from console.views.run import runner
from console.work import approvals, tasks
from tests.conftest import web_app
from tests.demo.refunding import ROOT, Desk, opened, whole
from tests.jobs import do, worked
from tests.runs.changing.test_midway import failing
from tests.servers.model import Server
from tests.support.engine import overdue, until

pytestmark = pytest.mark.rotating


@pytest.fixture(scope="module")
def desk(pg: Embedded, template: str, suite_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with opened(pg, template, suite_folder, tmp_path_factory.mktemp("provider")) as made:
        yield made


def refused(act: Callable[[], Any]) -> str:
    """What is said of a step that is not taken: every reason, one after another."""
    with pytest.raises(ConsoleError) as caught:
        act()
    return " ".join(str(detail["reason"]) for detail in caught.value.details) or caught.value.message


def asked(run_id: str) -> str:
    """The approval that the run waits for."""
    loaded = load(run_id)
    assert loaded is not None
    assert loaded.run.waiting is not None, (loaded.run.status, loaded.run.take_over)
    assert loaded.run.waiting["for"] == "approval"
    return str(loaded.run.waiting["key"])


def why(desk: Desk, run_id: str, by: str = "mona") -> str:
    """What the approver reads."""
    return str(approvals.get(desk.people[by], asked(run_id)).line.approval.why)


def notes(desk: Desk, run_id: str) -> dict[str, str]:
    """What is said before the refund is sent, by its label."""
    return {note["label"]: note["text"] for note in screen(desk, run_id).get("notes", ())}


def screen(desk: Desk, run_id: str, by: str = "olivia") -> dict[str, Any]:
    """What later on the page of the open step."""
    found = runs.get(desk.people[by], run_id).screen
    assert found is not None
    return dict(found)


def test_the_action_and_the_workflow_say_the_same_days() -> None:
    action, workflow = (
        json.loads((ROOT / name).read_text())["variables"] for name in ("actions/charge.refund.json", "workflows/customer-refund.json")
    )
    assert {name for name in action.keys() & workflow.keys() if action[name] != workflow[name]} == set()
    assert {"policy_days", "provider_days", "statutory_days"} <= action.keys() & workflow.keys()


# ------------------------------------------------------------------------------------------------------------ amounts


def test_a_plain_request_goes_back_to_the_card_and_its_ticket_is_closed(desk: Desk) -> None:
    charge = payments.PLAIN[0]
    [ticket] = desk.tickets(charge)
    run_id = desk.chosen(charge)
    assert desk.at(run_id) == "refund"
    desk.hand_in(run_id)
    assert desk.sent(charge) == [4250]
    assert desk.refunds(charge) == [(4250, "succeeded", "not_received")]
    assert desk.to_the_end(run_id) == "refunded"
    assert desk.sql("select status::text, resolution_code from ticket where id = %s", ticket) == [("solved", "refunded")]
    whole(run_id)


def test_more_than_remains_is_refused_with_the_sum_written_out(desk: Desk) -> None:
    run_id = desk.start(payments.PRIYA)
    said = refused(lambda: desk.hand_in(run_id, "refund_partial", why="not_as_described", amount="180.00"))
    assert said.startswith("€120.00 remain of €180.00 (€60.00 on ")
    desk.hand_in(run_id, "refund_partial", why="not_as_described", amount="119.99")
    desk.hand_in(run_id)
    assert desk.sent(payments.PRIYA) == [11_999]
    assert desk.to_the_end(run_id) == "partly_refunded"


def test_yen_have_no_decimals_and_count_in_euro(desk: Desk) -> None:
    charge = desk.another(48_000, "JPY")
    run_id = desk.start(charge)
    said = refused(lambda: desk.hand_in(run_id, "refund_partial", why="not_received", amount="12500.50"))
    assert said == "An amount in JPY has no decimals: write it such as 120."
    desk.hand_in(run_id, "refund_partial", why="not_received", amount="12500")
    assert "Approval" not in notes(desk, run_id)
    desk.hand_in(run_id)
    assert desk.sent(charge) == [12_500]
    assert desk.refunds(charge)[0][:2] == (12_500, "succeeded")


def test_a_dinar_has_three_decimals(desk: Desk) -> None:
    run_id = desk.chosen(payments.KENJI_DINAR)
    desk.hand_in(run_id)
    assert desk.sent(payments.KENJI_DINAR) == [31_250]
    assert desk.to_the_end(run_id) == "refunded"


# ----------------------------------------------------------------------------------------------------------- four eyes


def test_above_the_limit_nothing_is_sent_before_a_lead_agrees(desk: Desk) -> None:
    charge = payments.KENJI_YEN
    run_id = desk.chosen(charge)
    assert notes(desk, run_id)["Approval"] == "By operations lead or finance controller. An operator refunds up to €200.00."
    desk.hand_in(run_id)
    approval = asked(run_id)
    assert (desk.sent(charge), desk.refunds(charge)) == ([], [])
    for by in ("olivia", "tom", "stan"):
        with pytest.raises(ConsoleError):
            runs.approve(desk.people[by], approval)
    runs.approve(desk.people["mona"], approval)
    with pytest.raises(Conflict):
        runs.approve(desk.people["petra"], approval)
    assert (desk.sent(charge), desk.refunds(charge)) == ([48_000], [(48_000, "succeeded", "not_received")])
    assert desk.to_the_end(run_id) == "refunded"
    whole(run_id)


CASES: list[tuple[str, dict[str, Any], str, tuple[str, ...], str]] = [
    ("more than a lead may", {"minor": 250_000}, "olivia", ("petra",), "An operator refunds up to €200.00. More than €2,000.00 goes out with the agreement of Finance."),
    ("more than a lead may, by a lead", {"minor": 250_000}, "mona", ("petra",), "More than €2,000.00 goes out with the agreement of Finance."),
    ("outside the policy", {"minor": 900, "days": 75}, "olivia", ("mona", "petra"), "It is outside the policy."),
    ("outside the policy, by a lead", {"minor": 900, "days": 75}, "mona", ("petra",), "It is outside the policy."),
]  # fmt: skip


@pytest.mark.parametrize(("charge", "by", "able", "reason"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_who_has_to_agree(desk: Desk, charge: dict[str, Any], by: str, able: tuple[str, ...], reason: str) -> None:
    made = desk.another(**charge)
    run_id = desk.chosen(made, by=by)
    desk.hand_in(run_id, by=by)
    assert why(desk, run_id, "petra") == reason
    for name in {"olivia", "tom", "mona", "petra"} - set(able):
        with pytest.raises(ConsoleError):
            runs.approve(desk.people[name], asked(run_id))
    assert desk.sent(made) == []
    runs.approve(desk.people[able[0]], asked(run_id))
    assert desk.sent(made) == [charge["minor"]]


def test_a_customer_who_often_had_money_back_needs_another_pair_of_eyes(desk: Desk) -> None:
    often, much = desk.calm(), desk.calm()
    for number, (customer, minor) in enumerate([(often, 100)] * 4 + [(much, 50_100)]):
        charge = desk.another(60_000, customer=customer)
        desk.sql(
            "insert into refund (id, charge_id, amount_minor, currency, status, reason, idempotency_key, requested_by, created_at)"
            " values (%s, %s, %s, 'EUR', 'succeeded', 'goodwill', %s, 'tom', now() - interval '80 days')",
            *(f"re_often{number}", charge, minor, f"often{number}"),
        )
    for customer in (often, much):
        run_id = desk.chosen(desk.another(500, customer=customer))
        desk.hand_in(run_id)
        assert why(desk, run_id) == "The customer had more than 3 refunds, or more than €500.00 back, in 90 days."


def test_a_request_that_staff_opened_needs_another_pair_of_eyes(desk: Desk) -> None:
    charge = desk.another(500)
    desk.ask(charge, author="staff")
    run_id = desk.chosen(charge)
    desk.hand_in(run_id)
    assert why(desk, run_id) == "The request was opened by staff, not by the customer."


def test_a_changed_amount_needs_a_new_agreement(desk: Desk) -> None:
    charge = desk.another(150_000)
    run_id = desk.chosen(charge, "refund_partial", amount="900")
    desk.hand_in(run_id)
    former = asked(run_id)
    runs.revise(desk.people["olivia"], run_id, revision=None, step="choose", attempt=None, reason="The customer sent the second invoice.")
    desk.hand_in(run_id, "refund_partial", why="not_received", amount="1200")
    desk.hand_in(run_id)
    with pytest.raises(Conflict):
        runs.approve(desk.people["mona"], former)
    assert desk.sent(charge) == []
    runs.approve(desk.people["mona"], asked(run_id))
    assert desk.sent(charge) == [120_000]
    trail = [event.type for event in log.events_of(run_id) if event.type.startswith("approval_")]
    assert trail == ["approval_requested", "approval_voided", "approval_requested", "approval_decided"]
    whole(run_id)


def test_a_refund_that_went_out_is_not_sent_again_without_a_word(desk: Desk) -> None:
    charge = desk.another(10_000)
    run_id = desk.chosen(charge, "refund_partial", amount="30")
    assert notes(desk, run_id)["Undo"] == "It cannot be recalled once it is done."
    desk.hand_in(run_id)
    runs.revise(desk.people["olivia"], run_id, revision=None, step="choose", attempt=None, reason="It was the other seat.")
    desk.hand_in(run_id, "refund_partial", why="not_received", amount="40")
    with pytest.raises(Conflict) as caught:
        desk.hand_in(run_id)
    assert (caught.value.code, [detail["value"] for detail in caught.value.details]) == ("already_done", ["again"])
    assert desk.sent(charge) == [3_000]
    runs.revise(desk.people["olivia"], run_id, revision=None, step="choose", attempt=None, reason="The amount was right.")
    desk.hand_in(run_id, "refund_partial", why="not_received", amount="30")
    told = desk.told(run_id)
    runs.complete(desk.people["olivia"], run_id, runs.Submission(step="refund", revision=told["revision"], values={}, repeat="keep"))
    assert (desk.sent(charge), desk.refunds(charge)) == ([3_000], [(3_000, "succeeded", "not_received")])
    assert desk.to_the_end(run_id) == "partly_refunded"
    whole(run_id)


def test_a_balance_that_nobody_tells_asks_a_person_and_finance_may_end_the_run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    charge = desk.another(1_000)
    monkeypatch.setenv("CONSOLE_HTTP_SECRETS", "provider=a-wrong-secret")
    settings.current.cache_clear()
    run_id = desk.chosen(charge)
    told = desk.told(run_id)
    assert (told["current"]["step"], told["current"]["take_over"]["code"]) == ("balance", "refused")
    monkeypatch.undo()
    settings.current.cache_clear()
    runs.retry(desk.people["olivia"], run_id, revision=None)
    assert desk.at(run_id) == "refund"
    runs.take_over(desk.people["petra"], run_id, revision=None)
    desk.hand_in(run_id, by="petra")
    assert desk.to_the_end(run_id, "petra") == "refunded"
    assert desk.sent(charge) == [1_000]


def test_a_dispute_since_it_was_asked_for_stops_the_refund(desk: Desk) -> None:
    charge = desk.another(90_000)
    run_id = desk.chosen(charge)
    desk.hand_in(run_id)
    approval = asked(run_id)
    desk.sql(
        "insert into dispute (id, charge_id, amount_minor, currency, stage, status, reason, is_charge_refundable, evidence_due_at, created_at)"
        " values ('dp_since', %s, 90000, 'EUR', 'chargeback', 'needs_response', 'fraudulent', false, now() + interval '9 days', now())", charge,
    )  # fmt: skip
    with pytest.raises(ConsoleError):
        runs.approve(desk.people["mona"], approval)
    assert desk.sent(charge) == []


def test_an_approver_who_was_demoted_in_between_decides_nothing(desk: Desk) -> None:
    run_id = desk.chosen(desk.another(30_000))
    desk.hand_in(run_id)
    person = accounts.create_person("lia@fernwick.example", role="operations_lead", team="operations", name="Lia").person
    lia, approval = accounts.actor_of_person(person.id, "ses_lia"), asked(run_id)
    assert approvals.get(lia, approval)
    access.assign(person.id, [("operator", "operations")])
    with pytest.raises(ConsoleError):
        runs.approve(accounts.actor_of_person(person.id, "ses_lia"), approval)


# ------------------------------------------------------------------------------------- two at once, and a provider that lies


def test_two_requests_of_one_charge_are_one_run_and_one_refund_whatever_the_provider_says(desk: Desk) -> None:
    charge = payments.BRAM
    first, second = desk.tickets(charge)
    run_id = desk.start(charge)
    with pytest.raises(Conflict) as caught:
        desk.start(charge, "tom")
    assert (caught.value.code, caught.value.extra["run_id"]) == ("run_is_live", run_id)
    assert desk.at(run_id) == "ticket"
    desk.hand_in(run_id, key=first)
    desk.hand_in(run_id, "refund_full", why="not_as_described")
    desk.hand_in(run_id)
    here = desk.told(run_id)["current"]
    assert (here["type"], desk.sent(charge), desk.refunds(charge)) == ("settle", [7_490], [])
    effect = next(each for each in desk.told(run_id)["attempts"][-1]["effects"] if each["status"] == "unknown")
    assert runs.check(desk.people["olivia"], run_id, revision=None, effect=effect["id"]) == "done"
    assert (desk.sent(charge), desk.refunds(charge)) == ([7_490], [(7_490, "succeeded", "not_as_described")])
    assert desk.to_the_end(run_id) == "refunded"
    codes = desk.sql("select id, resolution_code from ticket where charge_id = %s and status = 'solved' order by id", charge)
    assert codes == [(int(first), "refunded"), (int(second), "duplicate")]
    whole(run_id)


def test_a_refund_that_a_person_found_at_the_provider_stands_in_the_books(desk: Desk) -> None:
    charge = desk.another(1_000, simulate="timeout_after_commit")
    run_id = desk.chosen(charge)
    desk.hand_in(run_id)
    effect = desk.told(run_id)["attempts"][-1]["effects"][0]
    runs.settle(desk.people["olivia"], run_id, revision=None, effect=effect["id"], done=True, reason="It later in the provider's list.")
    assert desk.refunds(charge) == [(1_000, "pending", "not_received")]
    assert desk.at(run_id) == "tell_refunded"


def test_a_refund_that_was_not_done_is_asked_for_again_as_the_same_effect(desk: Desk) -> None:
    charge = desk.another(1_100, simulate="timeout_before")
    run_id = desk.chosen(charge)
    desk.hand_in(run_id)
    effect = desk.told(run_id)["attempts"][-1]["effects"][0]
    assert desk.sent(charge) == []
    runs.settle(desk.people["olivia"], run_id, revision=None, effect=effect["id"], done=False, reason="The provider knows nothing of it.")
    again = desk.told(run_id)["attempts"][-1]["effects"][0]
    assert (again["id"], again["status"], desk.sent(charge)) == (effect["id"], "unknown", [])


def test_a_process_that_dies_after_the_call_does_not_make_it_twice(desk: Desk) -> None:
    charge = desk.another(1_200)
    run_id = desk.chosen(charge)
    with failing("effects.perform.after=raise"), pytest.raises(faults.Fault):
        desk.hand_in(run_id)
    assert (desk.sent(charge), desk.refunds(charge)) == ([1_200], [])
    runs.advance(run_id)
    assert (desk.sent(charge), desk.refunds(charge)) == ([1_200], [(1_200, "succeeded", "not_received")])
    assert desk.at(run_id) == "tell_refunded"
    whole(run_id)


@pytest.mark.parametrize(
    ("simulate", "at"), [("slow_8s", "tell_refunded"), ("pending_then_failed", "tell_refunded"), ("expired_card", "failed")]
)
def test_a_provider_in_other_moods(desk: Desk, simulate: str, at: str) -> None:
    run_id = desk.chosen(desk.another(1_300, simulate=simulate))
    desk.hand_in(run_id)
    assert desk.at(run_id) == at


def test_a_provider_that_fails_once_is_asked_again_under_the_same_key(desk: Desk) -> None:
    charge = desk.another(1_400, simulate="http_500_once")
    run_id = desk.chosen(charge)
    desk.hand_in(run_id)
    assert desk.told(run_id)["status"] in ("waiting_time", "waiting_event", "waiting_person")
    overdue(run_id)
    desk.work()
    assert (desk.sent(charge), desk.at(run_id)) == ([1_400], "tell_refunded")


def test_a_card_that_has_expired_is_said_in_words_and_finance_pays(desk: Desk) -> None:
    charge = desk.another(1_500, simulate="expired_card")
    run_id = desk.chosen(charge)
    desk.hand_in(run_id)
    assert "The card has expired or was cancelled" in screen(desk, run_id)["text"]
    assert desk.refunds(charge) == [(1_500, "failed", "not_received")]
    desk.hand_in(run_id, "finance_task")
    assert desk.to_the_end(run_id) == "unconfirmed"


def test_a_refund_that_was_sent_is_kept_where_the_run_comes_to_it_again(desk: Desk) -> None:
    charge = desk.another(1_800)
    run_id = desk.chosen(charge)
    desk.hand_in(run_id)
    olivia = desk.people["olivia"]
    runs.revise(olivia, run_id, revision=None, step="choose", attempt=None, reason="Looked again")
    desk.hand_in(run_id, "refund_full", why="not_received")
    assert desk.at(run_id) == "refund"
    with pytest.raises(Conflict) as asks:
        desk.hand_in(run_id)
    assert (asks.value.code, [detail["value"] for detail in asks.value.details]) == ("already_done", ["keep", "again"])
    told = desk.told(run_id)
    runs.complete(olivia, run_id, runs.Submission(step="refund", revision=told["revision"], values={}, repeat="keep"))
    assert (desk.at(run_id), desk.sent(charge), len(desk.refunds(charge))) == ("tell_refunded", [1_800], 1)
    whole(run_id)


def followed(run_id: str) -> bool:
    """Whether what the run sent has come to its end, as a worker finds it."""
    effect = next(
        each
        for attempt in whole_of(run_id).attempts.values()
        for each in attempt.effects
        if each.kind == "http" and "follow" in each.request["define"]
    )
    try:
        do(queue.FOLLOW, f"{run_id} {effect.id}")
    except queue.PutBack:
        return False
    return True


def due(run_id: str) -> list[tuple[bool]]:
    """Whether what is followed is to be looked at now."""
    return fetch(
        "select execute_after <= now() from queue.pgqueuer where entrypoint = 'follow' and convert_from(payload, 'UTF8') like %s",
        (f"{run_id} %",),
    )


def whole_of(run_id: str) -> Run:
    loaded = load(run_id, whole=True)
    assert loaded is not None
    return loaded.run


def test_r12_a_refund_that_fails_days_later_is_told_and_the_run_stays_what_it_was(desk: Desk) -> None:
    charge = desk.another(1_900, simulate="pending_then_failed")
    run_id = desk.chosen(charge)
    desk.hand_in(run_id)
    assert desk.to_the_end(run_id) == "refunded"
    assert fetch(
        "select count(*) from queue.pgqueuer where entrypoint = 'follow' and convert_from(payload, 'UTF8') like %s", (f"{run_id} %",)
    ) == [(1,)]
    before, shown = whole_of(run_id), runs.replay(desk.people["olivia"], run_id).run.json
    assert (runs.follow_now(desk.people["olivia"], run_id), due(run_id)) == (1, [(True,)]), "the provider's webhook says that there is news"
    assert until(lambda: followed(run_id))
    assert desk.refunds(charge) == [(1_900, "failed", "not_received")]
    title = "Refund failed later: €19.00 did not reach the card ••4242"
    [task] = [task for task in tasks.tasks_of(desk.people["olivia"]) if task.title == title]
    assert task.href.endswith(run_id)
    assert "has now refused it. The card has expired or was cancelled. The money is still with us" in (task.text or "")
    sequencing.catch_up()
    [news] = runs.late_reports(run_id)
    assert (news.open["result"], news.sealed["message"]) == ("failed", title)
    with web_app().test_request_context(f"/runs/{run_id}"):
        g.actor = desk.people["olivia"]
        page = runner.show(run_id).get_data(as_text=True)
    assert page.index(title) < page.index("When it ended") < page.index("Pending"), "what was known then is not told as what is so now"
    after = whole_of(run_id)
    assert (after.status, after.attempts, after.context) == (before.status, before.attempts, before.context)
    assert runs.replay(desk.people["olivia"], run_id, before.seq).run.json == shown
    assert followed(run_id), "it is told once"
    assert len(runs.late_reports(run_id)) == 1
    assert desk.told(desk.start(charge))["current"] is not None, "and the money can be sent again"
    whole(run_id)


def test_r12_holds_for_a_refund_that_a_person_settled_as_done(desk: Desk) -> None:
    charge = desk.another(1_950, simulate="timeout_after_commit")
    run_id = desk.chosen(charge)
    desk.hand_in(run_id)
    effect = desk.told(run_id)["attempts"][-1]["effects"][0]
    runs.settle(desk.people["olivia"], run_id, revision=None, effect=effect["id"], done=True, reason="It later in the provider's list.")
    assert desk.to_the_end(run_id) == "refunded"
    assert desk.refunds(charge) == [(1_950, "pending", "not_received")]
    with ledger.opened(desk.provider.data_dir) as bank:
        bank.execute("update refund set status = 'failed', failure_reason = 'expired_or_canceled_card' where charge = ?", (charge,))
    assert followed(run_id)
    assert desk.refunds(charge) == [(1_950, "failed", "not_received")]
    title = "Refund failed later: €19.50 did not reach the card ••4242"
    [task] = [task for task in tasks.tasks_of(desk.people["olivia"]) if task.title == title]
    assert later_results.NOT_NOTED not in (task.text or "")
    sequencing.catch_up()
    assert [(news.open["result"], news.sealed["message"]) for news in runs.late_reports(run_id)] == [("failed", title)]
    whole(run_id)


def test_what_the_provider_refuses_is_said_and_the_desk_for_disputes_gets_it(desk: Desk) -> None:
    charge = desk.another(1_600, simulate="charge_disputed")
    run_id = desk.chosen(charge)
    desk.hand_in(run_id)
    assert "The charge is disputed: answer the dispute in place of a refund" in screen(desk, run_id)["text"]
    desk.hand_in(run_id, "disputed")
    told = desk.told(run_id)
    assert (told["holder"], told["current"]["step"]) == (None, "dispute_work")
    whole(run_id)


def test_a_short_balance_waits_for_the_payout_and_only_a_lead_sends_it_anyway(desk: Desk) -> None:
    charge = desk.another(1_700, balance="low")
    run_id = desk.chosen(charge)
    here = desk.told(run_id)["current"]
    assert (here["step"], [option["value"] for option in here["outcomes"]]) == ("short", ["wait"])
    assert "The provider holds €10.00 and €17.00 are to go out" in screen(desk, run_id)["text"].replace("\\", "")
    desk.hand_in(run_id, "wait")
    assert desk.told(run_id)["status"] == "waiting_time"
    overdue(run_id)
    desk.work()
    assert desk.at(run_id) == "short"
    runs.take_over(desk.people["mona"], run_id, revision=None)
    desk.hand_in(run_id, "send_anyway", by="mona")
    desk.hand_in(run_id, by="mona")
    assert desk.refunds(charge) == [(1_700, "pending", "not_received")]


# -------------------------------------------------------------------------------------------------- where it goes elsewhere


def test_a_disputed_charge_goes_to_the_desk_and_its_sibling_to_a_lead(desk: Desk) -> None:
    charge, sibling = payments.OLEKSANDRA, payments.OLEKSANDRA_SIBLING
    run_id = desk.start(charge)
    told = desk.told(run_id)
    assert (told["holder"], told["current"]["step"]) == (None, "dispute_work")
    loaded = load(run_id)
    assert loaded is not None
    assert loaded.run.ticket is not None
    [(due,)] = desk.sql("select to_char(evidence_due_at at time zone 'UTC', 'FMDD Mon YYYY') from dispute where charge_id = %s", charge)
    assert (loaded.run.ticket["inbox"], loaded.run.ticket["priority"]) == ("disputes", "high")
    assert due in loaded.run.ticket["reason"]
    assert desk.tickets(charge, "pending_customer") != []
    runs.take_over(desk.people["tom"], run_id, revision=None)
    assert desk.to_the_end(run_id, "tom") == "disputed"
    asking = desk.chosen(sibling)
    desk.hand_in(asking)
    assert why(desk, asking) == "The bank has asked about the charge: a lead decides."
    runs.abort(desk.people["olivia"], asking, revision=None, reason="Mona does it.")
    again = desk.chosen(sibling, by="mona")
    desk.hand_in(again, by="mona")
    assert desk.sent(sibling) == [9_600]


@pytest.mark.parametrize("code", ["review", "documents", "legal"])
def test_an_account_on_hold_is_said_neutrally(desk: Desk, code: str) -> None:
    customer = desk.calm()
    charge = desk.another(1_800, customer=customer)
    desk.sql("update customer set restriction_code = %s::restriction_code where id = %s", code, customer)
    run_id = desk.start(charge)
    loaded = load(run_id)
    assert loaded is not None
    assert loaded.run.ticket is not None
    assert (loaded.run.ticket["inbox"], loaded.run.ticket["reason"]) == (
        "compliance-desk",
        "This account is being checked. Do not promise a date.",
    )
    assert f"'{code}'" not in repr(loaded.run.context) + repr(loaded.run.attempts)
    assert "restriction" not in repr(loaded.run.context)
    runs.take_over(desk.people["malik"], run_id, revision=None)
    assert desk.to_the_end(run_id, "malik") == "held"


def test_what_a_message_asks_for_has_no_field(desk: Desk) -> None:
    run_id = desk.start(payments.GRETA)
    fields = {field["name"] for field in desk.told(run_id)["current"]["form"]["fields"]}
    assert fields == {"amount", "credit", "agreed", "quote", "why", "note"}, "no field of an option that an operator is not offered"
    assert (
        refused(lambda: desk.hand_in(run_id, "refund_partial", why="goodwill", amount="4900")) == "€49.00 were paid: no more can go back."
    )
    refused(lambda: desk.hand_in(run_id, "refund_full", why="goodwill", iban=stories.FOREIGN_IBAN))
    assert stories.FOREIGN_IBAN not in repr(load(run_id))


def test_nothing_left_too_old_or_not_settled_is_refused(desk: Desk) -> None:
    charge = desk.another(1_900)
    desk.sql("update charge set status = 'uncaptured', captured_at = null where id = %s", charge)
    run_id = desk.start(charge)
    assert desk.at(run_id) == "refuse_why"
    assert desk.to_the_end(run_id) == "refused"
    old = desk.start(desk.another(1_900, days=200))
    assert desk.at(old) == "choose_old"
    assert "the provider takes no refund after 180 days" in screen(desk, old)["text"]
    desk.hand_in(old, "refuse", code="outside_policy")
    assert desk.to_the_end(old) == "refused"


# --------------------------------------------------------------------------------------------------- credits, and the customer


def test_a_credit_is_granted_and_can_be_taken_back(desk: Desk) -> None:
    charge = desk.another(9_000)
    run_id = desk.chosen(charge, "give_credit", credit="20")
    desk.hand_in(run_id)
    assert desk.sql("select amount_minor, spent_minor, expires_on > current_date from credit where charge_id = %s", charge) == [
        (2_000, 0, True)
    ]
    [effect] = desk.told(run_id)["attempts"][-2]["effects"]
    runs.revise(
        desk.people["olivia"], run_id, revision=None, step="choose", attempt=None, reason="Not what was agreed.", compensate=[effect["id"]]
    )
    assert desk.sql("select expires_on < current_date from credit where charge_id = %s", charge) == [(True,)]
    desk.hand_in(run_id, "give_credit", why="goodwill", credit="60")
    desk.hand_in(run_id)
    assert why(desk, run_id) == "A credit of more than €50.00 needs a lead."
    runs.approve(desk.people["mona"], asked(run_id))
    assert desk.to_the_end(run_id) == "credited"
    assert desk.sql("select count(*) from credit where charge_id = %s", charge) == [(2,)]


def test_what_the_law_gives_is_neither_refused_by_an_operator_nor_credited_without_consent(desk: Desk) -> None:
    run_id = desk.start(desk.another(2_000, item_kind="goods", days=4))
    here = desk.told(run_id)["current"]
    assert "refuse" not in [option["value"] for option in here["outcomes"]]
    assert "only a lead refuses" in refused(lambda: desk.hand_in(run_id, "refuse", why="withdrawal", code="not_ours"))
    with pytest.raises(Invalid) as caught:
        desk.hand_in(run_id, "give_credit", why="withdrawal", credit="10")
    assert {detail["field"] for detail in caught.value.details} == {"agreed", "quote"}
    assert "agreement" in refused(lambda: desk.hand_in(run_id, "give_credit", why="withdrawal", credit="10", agreed=False, quote="No!"))
    desk.hand_in(run_id, "give_credit", why="withdrawal", credit="10", agreed=True, quote="A credit is fine.")
    assert desk.at(run_id) == "credit"


def test_the_customer_is_asked_and_it_is_decided_again_with_what_holds_then(desk: Desk) -> None:
    charge = desk.another(2_100)
    run_id = desk.chosen(charge, "ask")
    desk.hand_in(run_id)
    assert (desk.told(run_id)["status"], desk.tickets(charge), len(desk.tickets(charge, "pending_customer"))) == ("waiting_time", [], 1)
    overdue(run_id)
    desk.work()
    assert desk.at(run_id) == "choose"
    desk.hand_in(run_id, "refuse", why="goodwill", code="no_answer")
    assert desk.to_the_end(run_id) == "refused"
    whole(run_id)


# ---------------------------------------------------------------------------------------------------------- proposals


def proposed(desk: Desk, run_id: str) -> dict[str, Any]:
    """What later before Olivia once a worker was there."""
    worked({queue.PROPOSE})
    return dict(desk.told(run_id)["current"]["proposal"])


def test_r7_a_ticket_that_commands_the_ai_changes_nothing_and_is_named(desk: Desk, model: Server) -> None:
    model.fault("injection", times=None)  # it obeys what it finds in the data
    charge = desk.another(4_900)
    [ticket] = desk.tickets(charge)
    desk.sql(
        "insert into ticket_message (ticket_id, seq, author_kind, body, attachments, at) values (%s, 2, 'customer', %s, '[]', now())",
        ticket,
        GRETA_TEXT,
    )
    run_id = desk.start(charge)
    if desk.at(run_id) == "ticket":
        desk.hand_in(run_id, key=ticket)
    found = proposed(desk, run_id)
    assert desk.at(run_id) == "choose"
    assert all(Decimal(each["value"]) <= 49 for each in found["fields"] if each["name"] == "amount")
    assert "LT45" not in json.dumps(found["fields"])
    assert {"suspicious_content"} == set(found["flags"])
    assert "instructions" in found["banner"]
    form = {field["name"] for field in desk.told(run_id)["current"]["form"]["fields"]}
    assert not {name for name in form if "iban" in name}
    noted = [event for event in log.events_of(run_id) if event.type in ("proposal_made", "proposal_failed")]
    assert noted[-1].open["flags"] == ["suspicious_content"]
    refused(lambda: desk.hand_in(run_id, "refund_partial", why="not_as_described", amount="4900.00"))


def test_r11_without_the_proposal_for_the_ticket_the_letter_lacks_its_quote(desk: Desk, model: Server) -> None:
    charge = desk.another(2_500)
    desk.ask(charge)
    run_id = desk.start(charge)
    told = desk.told(run_id)
    assert told["current"]["step"] == "ticket"
    runs.complete(
        desk.people["olivia"], run_id, runs.Submission(step="ticket", revision=told["revision"], values={"key": desk.tickets(charge)[0]}, handled_manually=True,
        reason="Read on the telephone",
    ))  # fmt: skip
    desk.hand_in(run_id, "refund_full", why="not_received")
    assert desk.told(run_id)["context"]["ticket"]["missing"] == "handled manually"
    desk.hand_in(run_id)
    assert desk.at(run_id) == "tell_refunded"
    assert "The request" in {gap["title"] for gap in screen(desk, run_id)["missing"]}
    assert "missing: quote" in screen(desk, run_id)["text"]
    manual = next(event for event in log.events_of(run_id) if event.type == "handled_manually")
    assert manual.values["reason"] == "Read on the telephone"
    desk.to_the_end(run_id)
