"""The switch that pauses everything, what the background looks like, and tries that are counted."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

import pytest

from console import background, log, runs, sources
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.infra import faults, jobs as queue
from console.infra.db.engine import fetch, transaction
from console.infra.jobs.dispatch import Dispatcher
from console.operations import status
from console.operations.worker import pools
from console.records import connection_terms
from console.runs.store.run_store import load
from tests.company import Company
from tests.runs.commands.test_midway import failing
from tests.support.engine import counting, jobs, kinds, overdue, publish, started, step, waiting, whole

pytestmark = pytest.mark.slow


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
    status.pause(company.ines, " The provider lies ")
    with pytest.raises(Conflict):
        status.pause(company.ines, "again")
    assert queue.paused()
    assert company.work() == 1, "the job that was there already"
    assert (runs.wake(), jobs()) == (0, [])
    before = kinds(stuck)
    later = started(company, "counting")
    assert (kinds(stuck), company.told(due)["status"], company.told(later)["status"]) == (
        before,
        "waiting_time",
        "running",
    )
    assert jobs() == [("queued", f"{later}:{len(kinds(later))}")]
    by_hand = company.at("rate", "2")
    company.answer(by_hand)
    assert company.sql("select risk from customer where id = 2") == [("low",)], (
        "what a person handed in is made"
    )
    fetch("update console.run set active_at = now() - interval '1 minute' returning 1")
    assert company.work() == 1
    assert (company.told(later)["status"], company.told(due)["status"]) == ("running", "waiting_time")
    status.resume(company.ines, "Mended")
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
        status.pause(company.ines, reason)
    assert refused.value.details[0]["field"] == "reason"
    assert not queue.paused()


def test_only_who_manages_sources_sees_it_and_turns_it(company: Company) -> None:
    job = give_up("a")
    for actor in (company.stan, company.olivia, company.mona, company.ada):
        for act in (
            status.read,
            lambda who: status.pause(who, "x"),
            lambda who: status.resume(who, "x"),
            lambda who: status.try_again(who, job),
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
    state = status.read(company.ines)
    assert (state.workers, state.due, state.picked, state.failed, state.timers, state.moving) == (
        0,
        1,
        0,
        1,
        1,
        1,
    )
    assert (state.failures[0].name, state.failures[0].about, state.paused_at) == ("advance", "The run", None)
    assert (state.failures[0].words, state.failures[0].href) == ("Move a run on", "/runs/run_x")
    assert state.next_at is not None
    assert log.body.moment(state.next_at) == company.told(run_id)["current"]["waiting"]["until"]
    text, _ = status.metrics()
    assert b"handrail_timers 1.0" in text
    assert b"handrail_jobs_failed 1.0" in text
    assert b"run_" not in text


def test_a_job_that_was_given_up_is_tried_once_more(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = give_up("a")
    with monkeypatch.context() as patched:
        patched.setattr(background, "revive_batch", lambda *_: jobs_seen.append(jobs()))
        jobs_seen: list[Any] = []
        status.try_again(company.ines, number)
    assert jobs_seen == [[("failed", "a")]], (
        "no worker sees the job before what it is about is under way again"
    )
    (told,) = [event for event in log.events_of(company.ines.session) if event.type == "job_retried"]
    assert told.open == {"job": "advance"}
    fetch("update queue.pgqueuer set status = 'failed' returning id")
    status.try_again(company.ines, number)
    assert jobs() == [("queued", "a")]
    with pytest.raises(NotFound):
        status.try_again(company.ines, number)
    other = fetch("update queue.pgqueuer set status = 'failed' returning id")[0][0]
    give_up("b")
    with transaction() as connection:
        queue.enqueue(connection, queue.ADVANCE, "run_x", dedupe_key="a")
    status.try_again(company.ines, other)
    assert jobs() == [("failed", "b"), ("queued", "a")], "one of the same key is enough"


@pytest.mark.parametrize("quick", [queue.ADVANCE, queue.SEND])
def test_a_guided_run_and_an_email_wait_for_nobody_else_who_waits_for_somebody_outside(
    company: Company, quick: str
) -> None:
    """Each kind of job but this one stands still, more of each than there are threads; the other channels among them."""
    answered, came = threading.Event(), threading.Event()

    def stand_still(_: str) -> None:
        answered.wait(60)

    slow = queue.JOBS - {quick}
    made: dict[str, Callable[[str], None]] = dict.fromkeys(slow, stand_still)
    made[quick] = lambda _: came.set()
    queue.enqueue_all(
        [queue.Job(name, f"{name} {number}", f"{name} {number}") for name in slow for number in range(9)]
    )
    dispatcher = Dispatcher(pools(made, 4))
    thread = threading.Thread(target=dispatcher.run)
    thread.start()
    try:
        until, nobody_holds = time.monotonic() + 60, [queue.ADVANCE_HANDS_OFF, queue.TEND]
        while (
            len(
                fetch(
                    "select from queue.pgqueuer where status = 'picked' and entrypoint = any(%s)",
                    (nobody_holds,),
                )
            )
            < 8
        ):
            assert time.monotonic() < until
            time.sleep(0.05)
        queue.enqueue_all([queue.Job(quick, "run_guided", "the one")])
        assert came.wait(60)
    finally:
        answered.set()
        dispatcher.stop()
        thread.join()


# ------------------------------------------------------------------------------------------------------------- tries


def loading(**settings: Any) -> None:
    """A workflow over a customer that reads the record by itself, and ends."""
    steps = [
        step("start", "start", "load"),
        step("load", "get_data", "end", {"fields": ["risk"]}),
        step("end", "end", None),
    ]
    steps[1]["completion"] = "automatic"
    publish("loading", steps, collection="customer", **settings)


@pytest.fixture(autouse=True)
def _locks_are_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_terms, "LOCK_S", 0.2)


@contextmanager
def locked(company: Company) -> Iterator[None]:
    """Somebody else has the whole database of the records to themselves: it does not answer in time, and may in a moment."""
    with closing(sqlite3.connect(company.path, isolation_level=None)) as other:
        other.execute("pragma locking_mode = exclusive")
        other.execute("begin exclusive")
        yield


@contextmanager
def lost(company: Company) -> Iterator[None]:
    """The table of the records is not there."""
    company.sql("alter table customer rename to customers_of_old")
    yield
    company.sql("alter table customers_of_old rename to customer")


@contextmanager
def moved_away(company: Company) -> Iterator[None]:
    """The file of the records is somewhere else for a while."""
    company.path.rename(company.path.with_suffix(".away"))
    yield
    company.path.with_suffix(".away").rename(company.path)


@contextmanager
def deleted(company: Company) -> Iterator[None]:
    """The record is not there."""
    (row,) = company.sql("select * from customer where id = 2")
    company.sql("delete from customer where id = 2")
    yield
    company.sql(f"insert into customer values ({', '.join('?' * len(row))})", *row)


def stopped_at_load(company: Company) -> str:
    """A run whose process ended right after the run had begun, before anything was read."""
    with failing("log.write.after=raise"), pytest.raises(faults.Fault):
        runs.start(company.olivia, "loading", "customer", "2")
    ((run_id,),) = fetch("select id from console.run where ended_at is null")
    return str(run_id)


@pytest.mark.parametrize(
    ("gone", "tried", "code", "last"),
    [
        (locked, True, "source_down", ["step_failed"]),
        (moved_away, True, "source_down", ["step_failed"]),
        (lost, False, "source_changed", ["step_failed"]),
        (
            deleted,
            False,
            "record_gone",
            ["step_failed", "run_escalated"],
        ),  # its holder sees it no more: it is put where others find it
    ],
)
def test_what_may_pass_is_tried_again_and_nothing_else(
    company: Company,
    gone: Callable[[Company], AbstractContextManager[None]],
    tried: bool,
    code: str,
    last: list[str],
) -> None:
    loading(retries=2)
    run_id = stopped_at_load(company)
    with gone(company):
        runs.advance(run_id)
        for _ in range(2):
            waiting = load(run_id)
            assert waiting is not None
            assert waiting.run.status == ("waiting_time" if tried else "waiting_person")
            overdue(run_id)
            company.work()
    told = load(run_id)
    assert told is not None
    assert told.run.take_over is not None
    assert (kinds(run_id).count("retry_set"), kinds(run_id)[-len(last) :], told.run.take_over["code"]) == (
        2 if tried else 0,
        last,
        code,
    )
    if told.run.holder is None:
        runs.take_over(company.olivia, run_id, revision=None)
    runs.retry(company.olivia, run_id, revision=None)
    assert company.told(run_id)["status"] == "completed"
    whole(run_id)


def test_who_waits_for_a_source_goes_on_when_it_answers_and_not_when_the_next_try_is_due(
    company: Company,
) -> None:
    loading(backoff_ms=3_600_000)
    run_id = stopped_at_load(company)
    sources.pause("company")
    runs.advance(run_id)
    assert (runs.wake_for_sources(), kinds(run_id)[-1]) == (0, "retry_set"), "just tried"
    fetch("update console.run set active_at = now() - interval '31 seconds' returning 1")
    assert runs.wake_for_sources() == 0, "it is still away"
    sources.resume("company")
    assert runs.wake_for_sources() == 1
    company.work()
    assert (company.told(run_id)["status"], kinds(run_id).count("retry_set")) == ("completed", 1)
    whole(run_id)


def test_the_holder_stops_the_trying_of_a_step(company: Company) -> None:
    loading()
    run_id = stopped_at_load(company)
    with locked(company):
        runs.advance(run_id)
    runs.stop_trying(company.olivia, run_id, revision=None)
    told = company.told(run_id)
    assert (told["status"], told["current"]["take_over"]["code"]) == ("waiting_person", "stopped")
    runs.retry(company.olivia, run_id, revision=None)
    assert company.told(run_id)["status"] == "completed"
