"""Runs go on by themselves: handed on in the transition that ends a turn, by workers that may die, freeze or come twice."""

import signal
import threading

import pytest

from console import log, runs
from console.infra import faults, jobs as queue
from console.infra.db.engine import fetch, transaction
from console.runs.store.run_store import load
from tests.company import Company
from tests.conftest import Database
from tests.runs.commands.test_midway import failing
from tests.support import engine
from tests.support.engine import counting, jobs, kinds, overdue, started, until, waiting, whole

pytestmark = pytest.mark.slow


def ended(*run_ids: str) -> bool:
    return bool(
        fetch(
            "select count(*) from console.run where id = any(%s) and ended_at is not null", (list(run_ids),)
        )[0][0]
        == len(run_ids)
    )


def once(run_id: str, steps: int) -> None:
    """Every step was done, once, and the log and the rows agree."""
    told = kinds(run_id)
    assert (told.count("step_completed"), told.count("run_completed")) == (steps + 2, 1)
    whole(run_id)


def test_the_rest_is_handed_on_in_the_transition_that_ends_the_turn(company: Company) -> None:
    counting(50)
    run_id = started(company, "counting")
    loaded = load(run_id)
    assert loaded is not None
    assert (loaded.run.status, loaded.run.automatic) == ("running", 20)
    assert jobs() == [("queued", f"{run_id}:{loaded.run.seq}")]
    assert company.work() == 2
    once(run_id, 50)
    assert jobs() == []


ONE_BY_ONE, TOGETHER = -1.0, 60.0  # seconds that automatic steps of one transaction may take


@pytest.mark.parametrize("point", ["log.write.before", "log.write.after"])
@pytest.mark.parametrize(("at_once_s", "last"), [(ONE_BY_ONE, 21), (TOGETHER, 2)])
def test_the_transition_and_its_job_are_there_together_or_not_at_all(
    company: Company, monkeypatch: pytest.MonkeyPatch, point: str, at_once_s: float, last: int
) -> None:
    monkeypatch.setattr("console.runs.engine.advancing.AT_ONCE_S", at_once_s)
    counting(50)
    with failing(f"{point}=raise@{last}"), pytest.raises(faults.Fault):
        started(company, "counting")
    ((run_id, seq),) = fetch("select id, run_seq from console.run")
    assert jobs() == ([("queued", f"{run_id}:{seq}")] if point.endswith("after") else [])
    if not jobs():
        fetch("update console.run set active_at = now() - interval '1 minute' returning 1")
    company.work()
    once(run_id, 50)


def test_a_transition_that_loses_puts_no_job_in(company: Company) -> None:
    counting(50)
    run_id = started(company, "counting")
    loaded = load(run_id)
    assert loaded is not None
    before = jobs()
    (made,) = log.chained(
        [log.Fact("0" * 8, "step_entered", log.now(), {"n": 1}, {})],
        run_id,
        loaded.run.seq - 1,
        b"x" * 32,
        log.frame_of(company.olivia, None),
    )
    with pytest.raises(log.Moved):
        log.write(
            run_id,
            loaded.run.seq - 1,
            [made],
            projection=log.Projection(run={"id": run_id}),
            job=queue.advance(run_id, 99),
        )
    assert jobs() == before


def test_a_run_whose_process_died_gets_a_job_once(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.runs.engine.advancing.AT_ONCE_S", ONE_BY_ONE)
    counting(30)
    with failing("log.write.after=raise@5"), pytest.raises(faults.Fault):
        started(company, "counting")
    assert (runs.pick_up(), jobs()) == (0, []), "whoever began it may still be at it"
    fetch("update console.run set active_at = now() - interval '6 seconds' returning 1")
    assert (runs.pick_up(), runs.pick_up()) == (1, 0)
    fetch("update queue.pgqueuer set status = 'failed' returning 1")
    assert runs.pick_up() == 0, "a person has to look at it first"


def test_many_at_once_take_every_step_once(company: Company) -> None:
    counting(50)
    run_ids = [started(company, "counting") for _ in range(3)]
    threads = [threading.Thread(target=runs.advance, args=(run_id,)) for run_id in run_ids * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    company.work()
    for run_id in run_ids:
        once(run_id, 50)


def test_who_is_told_to_stop_puts_the_rest_back(company: Company) -> None:
    counting(50)
    run_id = started(company, "counting")
    asked = iter([False, False, True])
    fetch("delete from queue.pgqueuer returning 1")
    runs.advance(run_id, stopping=lambda: next(asked, True))
    loaded = load(run_id)
    assert loaded is not None
    assert (loaded.run.automatic, jobs()) == (22, [("queued", f"{run_id}:{loaded.run.seq}")])


# ------------------------------------------------------------------------------------------------------------- timers


def at_pause(company: Company, slug: str = "waiting") -> str:
    """A run of Olivia's that waits for a moment."""
    run_id = started(company, slug)
    company.answer(run_id)
    return run_id


def test_a_wait_is_shown_survives_and_ends_late_rather_than_never(company: Company) -> None:
    waiting({"days": 2})
    run_id = at_pause(company)
    told = company.told(run_id)
    assert (told["status"], told["holder"], told["current"]["waiting"]["for"]) == (
        "waiting_time",
        company.olivia.id,
        "time",
    )
    assert runs.get(company.olivia, run_id).can == {"abort", "revise"}
    assert (company.work(), company.told(run_id)["status"]) == (0, "waiting_time")
    runs.advance(run_id)
    assert company.told(run_id)["status"] == "waiting_time", "looked at too early"
    overdue(run_id)
    assert runs.wake() == 1
    assert runs.wake() == 0, "there is a job already"
    assert company.work() == 1
    told = company.told(run_id)
    assert (told["status"], told["current"]["step"], told["holder"]) == (
        "waiting_person",
        "after",
        company.olivia.id,
    )
    assert kinds(run_id).index("timer_set") < kinds(run_id).index("timer_fired")
    assert told["context"]["pause"]["until"]
    company.answer(run_id)
    assert ended(run_id)


def test_a_wait_without_a_moment_asks_a_person_who_may_go_on(company: Company) -> None:
    waiting({"until": "'soon'"})
    run_id = at_pause(company)
    told = company.told(run_id)
    assert (told["status"], told["current"]["take_over"]["code"]) == ("waiting_person", "no_moment")
    runs.complete(company.olivia, run_id, runs.Submission(step="pause", revision=told["revision"], values={}))
    assert company.told(run_id)["current"]["step"] == "after"
    whole(run_id)


@pytest.mark.parametrize("how", ["revise", "abort", "cancel", "take over"])
def test_a_timer_means_nothing_once_the_run_went_another_way(company: Company, how: str) -> None:
    waiting({"hours": 1})
    run_id = at_pause(company)
    stale = load(run_id)
    assert stale is not None
    overdue(run_id)
    runs.wake()
    match how:
        case "revise":
            runs.revise(company.olivia, run_id, revision=None, step="before", attempt=None, reason="again")
        case "abort":
            runs.abort(company.olivia, run_id, revision=None, reason="enough")
        case "cancel":
            runs.cancel(company.mona, run_id, revision=None, reason="enough")
        case _:
            runs.take_over(company.mona, run_id, revision=None)
            assert company.told(run_id)["holder"] == company.mona.id
            assert runs.get(company.mona, run_id).can >= {"abort", "revise"}
            return
    before = kinds(run_id)
    company.work()
    assert kinds(run_id) == before
    whole(run_id)


# ------------------------------------------------------------------------------------------------------------- processes


def test_killed_workers_lose_nothing_and_do_nothing_twice(company: Company) -> None:
    counting(60)
    run_ids = [started(company, "counting") for _ in range(8)]
    with engine.workers(2) as processes:
        assert until(
            lambda: (
                fetch("select count(*) from console.run where automatic > 20 or ended_at is not null")[0][0]
                > 2
            )
        )
        processes[0].kill()
        assert until(lambda: ended(*run_ids))
        assert until(lambda: jobs() == [])
    for run_id in run_ids:
        once(run_id, 60)
    assert processes[1].returncode == 0


def test_a_frozen_worker_that_thaws_does_no_harm(company: Company) -> None:
    counting(60)
    with engine.workers(2, stopped=True) as (frozen, _other):
        run_ids = [started(company, "counting") for _ in range(8)]
        assert until(
            lambda: (
                fetch("select count(distinct queue_manager_id) from queue.pgqueuer where status = 'picked'")[
                    0
                ][0]
                == 2
            )
        )
        frozen.send_signal(signal.SIGSTOP)
        assert until(lambda: ended(*run_ids))
        frozen.send_signal(signal.SIGCONT)
        assert until(lambda: jobs() == [])
        assert frozen.poll() is None
    assert frozen.returncode == 0
    for run_id in run_ids:
        once(run_id, 60)


def test_a_worker_survives_that_all_its_connections_break(company: Company, database: Database) -> None:
    counting(40)
    with engine.workers(1) as (worker,):
        first = started(company, "counting")
        assert until(lambda: ended(first))
        second = [started(company, "counting") for _ in range(3)]
        fetch(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()"
        )
        assert until(lambda: ended(*second))
        assert worker.poll() is None
    for run_id in (first, *second):
        once(run_id, 40)


def test_a_worker_fires_timers_and_stops_when_told(company: Company) -> None:
    waiting({"hours": 1})
    run_id = at_pause(company)
    overdue(run_id)
    with engine.workers(1) as (worker,):
        assert until(lambda: company.told(run_id)["status"] == "waiting_person")
    assert worker.returncode == 0
    assert until(lambda: jobs() == [])
    with transaction() as connection:
        assert (
            connection.exec_driver_sql(
                "select count(*) from queue.pgqueuer_log where status = 'successful'"
            ).scalar_one()
            == 1
        )
