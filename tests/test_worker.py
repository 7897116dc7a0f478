"""The worker does its duties in time, survives what goes wrong in one of them, and stops when told."""

import json
import logging
import threading

import psycopg
import pytest
import sqlalchemy as sa

from console import queue
from console.core.run.evolve import FOLDED_SINCE
from console.db import fitness
from console.db.engine import app_url
from console.db.presence import PRESENCE
from console.db.release import NewerData, known_revisions
from console.errors import Conflict
from console.worker import Duty, Worker
from tests.conftest import Database


def test_what_older_releases_cannot_fold_came_with_another_form_of_the_tables() -> None:
    """By which they refuse to start."""
    assert set(FOLDED_SINCE.values()) <= known_revisions()


def test_a_duty_is_done_when_due_and_not_before() -> None:
    done: list[int] = []

    def count() -> int:
        done.append(1)
        return len(done)

    duty = Duty("count", 10.0, count)
    for now in (0.0, 5.0, 9.9, 10.0, 19.0, 25.0):
        duty.attempt(now)
    assert len(done) == 3
    assert duty.due == 35.0


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            sa.exc.OperationalError("select 1", {}, ConnectionError("secret address")),
            "count: the database does not answer: ConnectionError",
        ),
        (psycopg.OperationalError("secret address"), "count: the database does not answer: OperationalError"),
        (RuntimeError("surprise"), "alarm: count failed"),
        (Conflict("Do this."), "alarm: count failed: Do this."),
    ],
)
def test_what_goes_wrong_is_written_down_and_tried_again(caplog: pytest.LogCaptureFixture, error: Exception, said: str) -> None:
    def fail() -> int:
        raise error

    duty = Duty("count", 1.0, fail)
    with caplog.at_level(logging.WARNING):
        duty.attempt(0.0)
        duty.attempt(1.0)
    assert [record.getMessage() for record in caplog.records] == [said, said]


def test_it_ends_when_a_newer_release_has_changed_the_tables(clean: Database) -> None:
    """A worker of this release would read wrongly what the newer one writes."""
    worker = Worker()
    with psycopg.connect(clean.admin_url, autocommit=True) as connection:
        (before,) = connection.execute("select version_num from console.alembic_version").fetchone() or ("",)
        worker.duties = [Duty("release", 0.01, worker._end_under_newer)]
        thread = threading.Thread(target=worker.run)
        thread.start()
        assert not worker.stopping.wait(0.2)
        connection.execute("update console.alembic_version set version_num = '20991231_0100'")
        try:
            assert worker.stopping.wait(30)
            thread.join()
            with pytest.raises(NewerData):
                fitness.refuse_newer()
        finally:
            connection.execute("update console.alembic_version set version_num = %s", (before,))


def test_it_is_seen_while_it_works_and_gone_when_it_has_stopped(clean: Database) -> None:
    worker = Worker()
    seen, sequenced, abroad = threading.Event(), threading.Event(), threading.Event()

    def note() -> int:
        sequenced.set()
        return 0

    worker.duties = [Duty("note", 0.01, note)]
    worker.outside, worker.thorough = [Duty("abroad", 0.01, abroad.set)], []
    look = sa.text("select count(*) from pg_locks where locktype = 'advisory' and classid = :first and objid = :second and granted")
    names = dict(zip(("first", "second"), PRESENCE, strict=True))
    thread = threading.Thread(target=worker.run)
    thread.start()
    engine = sa.create_engine(app_url(), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        assert sequenced.wait(30)
        if connection.execute(look, names).scalar_one() == 1:
            seen.set()
        connection.execute(
            sa.text("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and classid = :first"), names
        )
        sequenced.clear()
        assert sequenced.wait(30)  # a lost connection does not end it
        worker.stop()
        thread.join(30)
        assert connection.execute(look, names).scalar_one() == 0
    assert seen.is_set()
    assert abroad.is_set()
    assert not thread.is_alive()


def test_its_duties_are_the_order_of_the_log_the_sweep_heads_and_what_goes_out(clean: Database) -> None:
    assert {duty.name: duty.every_s for duty in Worker().duties} == {
        "sign of life": 5.0,
        "release": 5.0,
        "sequence": 1.0,
        "sweep": 60.0,
        "seal": 60.0,
        "seal when asked": 1.0,
        "tidy": 86400.0,
    }
    assert {duty.name: duty.every_s for duty in Worker().thorough} == {
        "check of the log": 60.0,
        "expire": 86400.0,
        "files of lists": 60.0,
        "files of contacts": 60.0,
    }
    assert {duty.name: duty.every_s for duty in Worker().moving} == {
        "due": 0.5,
        "stuck": 2.0,
        "cancelled workflows": 2.0,
        "failures": 1.0,
        "alerts": 2.0,
        "slow runs": 60.0,
        "due times": 5.0,
        "changes by hand": 5.0,
        "tasks": 5.0,
        "people who are away": 2.0,
        "answers": 5.0,
        "proposals": 2.0,
        "ladder": 60.0,
    }
    assert sorted(name for one in Worker().dispatchers for name in one.handlers) == sorted(queue.JOBS), "each job in one pool"
    assert {duty.name: duty.every_s for duty in Worker().outside} == {"publish": 5.0, "mail": 5.0}


@pytest.mark.parametrize("slow", ["outside", "thorough"])
def test_the_order_of_the_log_waits_for_nobody_outside_and_for_no_long_work(clean: Database, slow: str) -> None:
    worker, silent, counted = Worker(), threading.Event(), threading.Semaphore(0)
    worker.duties, worker.outside, worker.thorough = [Duty("count", 0.01, counted.release)], [], []
    setattr(worker, slow, [Duty("slow", 0.01, lambda: silent.wait(60))])
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert all(counted.acquire(timeout=30) for _ in range(5))
    worker.stop()
    silent.set()
    thread.join(30)
    assert not thread.is_alive()
    assert json.dumps(PRESENCE) == "[1214346834, 1]"
