"""A refund goes out once and stands in the books once: two requests at the same time, a provider that lies, a process that dies, a failure days later."""

import re

import pytest
from flask import g

from console import faults, queue, runs
from console.activity import sequencing
from console.core.run import Run
from console.db.engine import fetch
from console.demo import ledger, payments
from console.effects import later_results
from console.errors import Conflict
from console.runs.rows.run_store import load
from console.views.run import runner
from console.work import tasks
from tests.conftest import web_app
from tests.demo.refunding import Desk, screen, whole
from tests.jobs import do
from tests.runs.changing.test_midway import failing
from tests.support.engine import overdue, until

pytestmark = pytest.mark.slow


def page_of(desk: Desk, run_id: str) -> str:
    """The page of the run, as Olivia gets it."""
    with web_app().test_request_context(f"/runs/{run_id}"):
        g.actor = desk.people["olivia"]
        return runner.show(run_id).get_data(as_text=True)


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


def test_r9_what_the_screen_says_after_the_process_died_and_after_it_went_on(desk: Desk) -> None:
    charge = desk.another(1_250)
    run_id = desk.chosen(charge)
    with failing("effects.perform.before=raise"), pytest.raises(faults.Fault):
        desk.hand_in(run_id)
    runs.advance(run_id)
    page = page_of(desk, run_id)
    assert "Nobody knows whether it happened: it was sent and no clear answer came" in page
    assert "Key to look for" in page
    assert "Check again" in page
    effect = next(each for each in desk.told(run_id)["attempts"][-1]["effects"] if each["status"] == "unknown")
    assert runs.check(desk.people["olivia"], run_id, revision=None, effect=effect["id"]) == "not_done", "it died before the call"
    assert "We have sent €12.50 back to your card" in page_of(desk, run_id)
    assert (desk.sent(charge), desk.refunds(charge)) == ([1_250], [(1_250, "succeeded", "not_received")])


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
    page = " ".join(page_of(desk, run_id).split())
    assert re.search(r"Sent since it was decided on</dt> ?<dd[^>]*>.{0,60}€18\.00", page), (
        "the figures are those of now, not of the decision"
    )
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
    page = page_of(desk, run_id)
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
