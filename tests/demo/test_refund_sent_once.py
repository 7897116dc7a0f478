"""A refund goes out once and stands in the books once, whatever the provider says and whichever process dies."""

import pytest
from flask import g

from console import runs
from console.activity import sequencing
from console.core.errors import Conflict
from console.core.run import Run
from console.demo import stories
from console.infra import faults, jobs
from console.infra.db.engine import fetch
from console.runs.store.run_store import load
from console.views.runs import runner
from console.work import tasks
from tests.conftest import web_app
from tests.demo.refunding import Desk, whole
from tests.jobs import do
from tests.runs.commands.test_midway import failing
from tests.support.engine import until

pytestmark = pytest.mark.slow


def page_of(desk: Desk, run_id: str) -> str:
    """The page of the run, as Olivia gets it."""
    with web_app().test_request_context(f"/runs/{run_id}"):
        g.actor = desk.people["olivia"]
        return runner.show(run_id).get_data(as_text=True)


# ------------------------------------------------------------------------------------- two at once, and a provider that lies


def test_two_requests_of_one_charge_are_one_run_and_one_refund_whatever_the_provider_says(desk: Desk) -> None:
    charge = stories.BRAM_CHARGE
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
    effect = next(
        each for each in desk.told(run_id)["attempts"][-1]["effects"] if each["status"] == "unknown"
    )
    assert runs.check(desk.people["olivia"], run_id, revision=None, effect=effect["id"]) == "done"
    assert (desk.sent(charge), desk.refunds(charge)) == ([7_490], [(7_490, "succeeded", "not_as_described")])
    assert desk.to_the_end(run_id) == "refunded"
    codes = desk.sql(
        "select id, resolution_code from ticket where charge_id = %s and status = 'solved' order by id",
        charge,
    )
    assert codes == [(int(first), "refunded"), (int(second), "duplicate")]
    whole(run_id)


def test_a_refund_that_a_person_found_at_the_provider_stands_in_the_books(desk: Desk) -> None:
    charge = desk.another(1_000, simulate="timeout_after_commit")
    run_id = desk.chosen(charge)
    desk.hand_in(run_id)
    effect = desk.told(run_id)["attempts"][-1]["effects"][0]
    runs.settle(
        desk.people["olivia"],
        run_id,
        revision=None,
        effect=effect["id"],
        done=True,
        reason="It later in the provider's list.",
    )
    assert desk.refunds(charge) == [(1_000, "pending", "not_received")]
    assert desk.at(run_id) == "tell_refunded"


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


def followed(run_id: str) -> bool:
    """Whether what the run sent has come to its end, as a worker finds it."""
    effect = next(
        each
        for attempt in whole_of(run_id).attempts.values()
        for each in attempt.effects
        if "follow" in each.request.get("define", {})
    )
    try:
        do(jobs.FOLLOW, f"{run_id} {effect.id}")
    except jobs.PutBack:
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
        "select count(*) from queue.pgqueuer where entrypoint = 'follow' and convert_from(payload, 'UTF8') like %s",
        (f"{run_id} %",),
    ) == [(1,)]
    before, shown = whole_of(run_id), runs.replay(desk.people["olivia"], run_id).run.json
    assert (runs.follow_now(desk.people["olivia"], run_id), due(run_id)) == (1, [(True,)]), (
        "the provider's webhook says that there is news"
    )
    assert until(lambda: followed(run_id))
    assert desk.refunds(charge) == [(1_900, "failed", "not_received")]
    title = "Refund failed later: €19.00 did not reach the card ••4242"
    [task] = [task for task in tasks.tasks_of(desk.people["olivia"]) if task.title == title]
    assert task.href.endswith(run_id)
    assert "has now refused it. The card has expired or was cancelled. The money is still with us" in (
        task.text or ""
    )
    sequencing.catch_up()
    [news] = runs.late_reports(run_id)
    assert (news.open["result"], news.sealed["message"]) == ("failed", title)
    page = page_of(desk, run_id)
    assert page.index(title) < page.index("When it ended") < page.index("Pending"), (
        "what was known then is not told as what is so now"
    )
    after = whole_of(run_id)
    assert (after.status, after.attempts, after.context) == (before.status, before.attempts, before.context)
    assert runs.replay(desk.people["olivia"], run_id, before.seq).run.json == shown
    assert followed(run_id), "it is told once"
    assert len(runs.late_reports(run_id)) == 1
    assert desk.told(desk.start(charge))["current"] is not None, "and the money can be sent again"
    whole(run_id)
