"""The switch that pauses everything, what the background looks like, and tries that are counted."""

import pytest

from console import background, log, queue, records, runs
from console.core.actor import Actor
from console.db.engine import fetch, transaction
from console.errors import Conflict, IntegrationError, Invalid, NotAllowed, NotFound, SourceDown
from console.runs import engine as moving
from tests.company import Company
from tests.services.engine import counting, jobs, kinds, overdue, started, waiting, whole


def give_up(key: str) -> int:
    """A job that was given up."""
    with transaction() as connection:
        number = queue.enqueue(connection, queue.ADVANCE, "run_x", dedupe_key=key)
        connection.exec_driver_sql("update queue.pgqueuer set status = 'failed' where id = %s", (number,))
    assert number is not None
    return number


def test_nothing_goes_by_itself_while_paused_and_by_hand_everything(company: Company) -> None:
    waiting({"hours": 1})
    counting(30)
    due, stuck = started(company, "waiting"), started(company, "counting")
    company.answer(due)
    overdue(due)
    background.pause(company.ines, " The provider lies ")
    with pytest.raises(Conflict):
        background.pause(company.ines, "again")
    assert queue.paused()
    assert company.work() == 1, "the job that was there already"
    assert (runs.wake(), jobs()) == (0, [])
    before = kinds(stuck)
    later = started(company, "counting")
    assert (kinds(stuck), company.told(due)["status"], company.told(later)["status"]) == (before, "waiting_time", "running")
    assert jobs() == [("queued", f"{later}:{len(kinds(later))}")]
    by_hand = company.at("rate", "2")
    company.answer(by_hand)
    assert company.sql("select risk from customer where id = 2") == [("low",)], "what a person handed in is made"
    fetch("update console.run set active_at = now() - interval '1 minute' returning 1")
    assert company.work() == 1
    assert (company.told(later)["status"], company.told(due)["status"]) == ("running", "waiting_time")
    background.resume(company.ines, "Mended")
    assert company.work() >= 3
    assert company.told(due)["current"]["step"] == "after"
    for run_id in (stuck, later):
        assert company.told(run_id)["status"] == "completed"
        whole(run_id)
    told = [event for event in log.events_of(company.ines.session) if event.type.startswith("engine_")]
    assert [(event.type, event.values) for event in told] == [
        ("engine_paused", {"reason": "The provider lies"}),
        ("engine_resumed", {"reason": "Mended"}),
    ]


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 2001, "a\x00b"])
def test_the_switch_needs_a_reason(company: Company, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        background.pause(company.ines, reason)
    assert refused.value.details[0]["field"] == "reason"
    assert not queue.paused()


def test_only_who_manages_sources_sees_it_and_turns_it(company: Company) -> None:
    job = give_up("a")
    for actor in (company.stan, company.olivia, company.mona, company.ada):
        for act in (
            background.read,
            lambda who: background.pause(who, "x"),
            lambda who: background.resume(who, "x"),
            lambda who: background.try_again(who, job),
        ):
            with pytest.raises(NotAllowed):
                act(actor)
    assert (queue.paused(), jobs()) == (False, [("failed", "a")])


def test_the_state_counts_what_is_there(company: Company) -> None:
    waiting({"hours": 1})
    counting(30)
    run_id = started(company, "waiting")
    company.answer(run_id)
    started(company, "counting")
    give_up("a")
    state = background.read(company.ines)
    assert (state.workers, state.due, state.picked, state.failed, state.timers, state.moving) == (0, 1, 0, 1, 1, 1)
    assert (state.failures[0].name, state.failures[0].about, state.paused_at) == ("advance", "run_x", None)
    assert state.next_at is not None
    assert log.body.moment(state.next_at) == company.told(run_id)["current"]["waiting"]["until"]
    text, _ = background.metrics()
    assert b"handrail_timers 1.0" in text
    assert b"handrail_jobs_failed 1.0" in text
    assert b"run_" not in text


def test_a_job_that_was_given_up_is_tried_once_more(company: Company) -> None:
    number = give_up("a")
    background.try_again(company.ines, number)
    assert jobs() == [("queued", "a")]
    with pytest.raises(NotFound):
        background.try_again(company.ines, number)
    other = fetch("update queue.pgqueuer set status = 'failed' returning id")[0][0]
    give_up("b")
    with transaction() as connection:
        queue.enqueue(connection, queue.ADVANCE, "run_x", dedupe_key="a")
    background.try_again(company.ines, other)
    assert jobs() == [("failed", "b"), ("queued", "a")], "one of the same key is enough"


# ------------------------------------------------------------------------------------------------------------- tries


@pytest.mark.parametrize(
    ("error", "tried"),
    [
        (SourceDown("All connections are busy.", passing=True), True),
        (IntegrationError("Come back later."), True),
        (SourceDown("The table is gone."), False),
        (IntegrationError("No such account.", permanent=True), False),
        (NotFound(), False),
    ],
)
def test_what_may_pass_is_tried_again_and_nothing_else(
    company: Company, monkeypatch: pytest.MonkeyPatch, error: Exception, tried: bool
) -> None:
    def fail(_actor: Actor, _run: object) -> records.Record | None:
        raise error

    counting(3, retries=2)
    monkeypatch.setattr(moving, "record_of", fail)
    run_id = started(company, "counting")
    told = company.told(run_id)
    assert told["status"] == ("waiting_time" if tried else "waiting_person")
    if not tried:
        return
    assert told["current"]["waiting"] == {"for": "retry", "until": told["current"]["waiting"]["until"], "tries": 1}
    for _ in range(2):
        overdue(run_id)
        company.work()
    assert (kinds(run_id).count("retry_set"), kinds(run_id)[-1]) == (2, "step_failed")
    assert company.told(run_id)["current"]["take_over"]["code"] == getattr(error, "code", "")
    monkeypatch.undo()
    runs.retry(company.olivia, run_id, revision=None)
    assert company.told(run_id)["status"] == "completed"


def test_once_it_works_the_tries_are_forgotten(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(_actor: Actor, _run: object) -> records.Record | None:
        raise SourceDown("All connections are busy.", passing=True)

    counting(3)
    monkeypatch.setattr(moving, "record_of", busy)
    run_id = started(company, "counting")
    monkeypatch.undo()
    overdue(run_id)
    company.work()
    assert (company.told(run_id)["status"], kinds(run_id).count("retry_set")) == ("completed", 1)
