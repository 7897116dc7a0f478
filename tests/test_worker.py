"""The worker does its duties in time, survives what goes wrong in one of them, and stops when told."""

import json
import logging
import threading
import time
from collections import Counter
from contextlib import ExitStack
from typing import cast

import psycopg
import pytest
import sqlalchemy as sa

from console import log
from console.core.actor import SYSTEM
from console.core.errors import Conflict
from console.core.run.evolve import FOLDED_SINCE
from console.infra import jobs
from console.infra.db import fitness
from console.infra.db.engine import MOST_ROOM, POOL, alone, app_url, fetch, hot_engine, make_room, place_among
from console.infra.db.presence import PRESENCE
from console.infra.db.release import NewerData, known_revisions
from console.operations.worker import Duty, Worker
from tests.conftest import Database


def test_what_older_releases_cannot_fold_came_with_another_form_of_the_tables() -> None:
    """By which they refuse to start."""
    assert set(FOLDED_SINCE.values()) <= known_revisions()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            sa.exc.OperationalError("select 1", {}, ConnectionError("secret address")),
            "count: the database does not answer: ConnectionError",
        ),
        (psycopg.OperationalError("secret address"), "count: the database does not answer: OperationalError"),
        (RuntimeError("surprise"), "alarm: count failed"),
        (sa.exc.DataError("select 1", {}, psycopg.DataError("NUL")), "alarm: count failed"),
        (TimeoutError("a mailbox"), "alarm: count failed"),
        (Conflict("Do this."), "alarm: count failed: Do this."),
    ],
)
def test_what_goes_wrong_is_written_down_and_tried_again(
    caplog: pytest.LogCaptureFixture, error: Exception, said: str
) -> None:
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
        worker.duties = {"log": [Duty("release", 0.01, worker.end_under_newer)]}
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

    worker.duties = {"log": [Duty("note", 0.01, note)], "outside": [Duty("abroad", 0.01, abroad.set)]}
    look = sa.text(
        "select count(*) from pg_locks where locktype = 'advisory' and classid = :first and objid = :second and granted"
    )
    names = dict(zip(("first", "second"), PRESENCE, strict=True))
    thread = threading.Thread(target=worker.run)
    thread.start()
    engine = sa.create_engine(app_url(), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        assert sequenced.wait(30)
        if connection.execute(look, names).scalar_one() == 1:
            seen.set()
        connection.execute(
            sa.text(
                "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and classid = :first"
            ),
            names,
        )
        sequenced.clear()
        assert sequenced.wait(30)  # a lost connection does not end it
        worker.stop()
        thread.join(30)
        assert connection.execute(look, names).scalar_one() == 0
    assert seen.is_set()
    assert abroad.is_set()
    assert not thread.is_alive()


def test_what_looks_in_vain_rests_longer_each_time_until_the_log_grows() -> None:
    found = [0, 0, 0, 0, 1, 0]
    duty = Duty("look", 1.0, lambda: found.pop(0), 5.0)
    dues = []
    for _ in range(5):
        duty.attempt(duty.due)
        dues.append(duty.due)
    assert dues == [1.0, 3.0, 7.0, 12.0, 13.0], "what was found brings the short pause back"
    duty.attempt(13.0)
    assert duty.due == 15.0
    duty.stir()
    duty.stir()
    assert duty.due == 14.0


def test_what_rests_looks_at_once_when_the_log_has_grown(clean: Database) -> None:
    """By whomever: an event has its place within a second, and is read then."""
    worker, looked = Worker(), threading.Semaphore(0)
    worker.duties = {
        "log": [Duty("sequence", 0.01, worker.sequence)],
        "resting": [Duty("look", 0.01, looked.release, 3600.0)],
    }
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        assert looked.acquire(timeout=30)
        resting = worker.duties["resting"][0]
        resting.due, resting.pause_s = time.monotonic() + 3600, 3600
        while looked.acquire(blocking=False):
            pass
        log.note(SYSTEM, "silence_noted", open={"size": 1, "since": "2026-11-22T00:00:00Z"})
        assert looked.acquire(timeout=30)
    finally:
        worker.stop()
        thread.join(30)


def test_what_people_wait_for_is_looked_for_each_second_and_rests_no_longer_than_a_crash_may_take(
    clean: Database,
) -> None:
    worker = Worker()
    paces = {duty.name: max(duty.every_s, duty.rest_s) for line in worker.duties.values() for duty in line}
    assert len(paces) == sum(len(line) for line in worker.duties.values()), "each has a name of its own"
    prompt = ("sequence", "seal when asked", "due", "schedules", "messages")
    assert {name for name, pace_s in paces.items() if pace_s <= 1} == {*prompt}
    assert {
        paces[name]
        for name in ("stuck", "firings", "events", "awaited events", "places", "tasks", "sign of life")
    } == {5.0}
    assert {paces[name] for name in ("tidy", "expire", "old firings", "old deliveries", "model")} == {86400.0}
    assert sorted(name for pool in worker.dispatcher.pools for name in pool.handlers) == sorted(jobs.JOBS), (
        "each job in one pool"
    )


def test_the_order_of_the_log_waits_for_nobody_outside_and_for_no_long_work(clean: Database) -> None:
    worker, silent, counted = Worker(), threading.Event(), threading.Semaphore(0)
    worker.duties = {
        "log": [Duty("count", 0.01, counted.release)],
        "outside": [Duty("slow", 0.01, lambda: silent.wait(60))],
    }
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert all(counted.acquire(timeout=30) for _ in range(5))
    worker.stop()
    silent.set()
    thread.join(30)
    assert not thread.is_alive()
    assert json.dumps(PRESENCE) == "[1214346834, 1]"


@pytest.mark.usefixtures("database")
def test_a_place_is_given_up_at_once_and_free_again_when_its_connection_was_lost() -> None:
    def held() -> int:
        return int(
            fetch("select count(*) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()")[0][
                0
            ]
        )

    before = held()
    with place_among("many", 64) as one, place_among("many", 64) as other:
        assert (one, other, held() - before) == (True, True, 2)
    assert held() == before
    with place_among("many", 64):
        fetch(
            "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()"
        )
    with place_among("many", 64) as mine:
        assert (mine, held()) == (True, before + 1), "a place that went with its connection counts no more"


def test_no_number_of_locks_uses_up_the_connections_of_a_worker(database: Database) -> None:
    assert fetch("select 1") == [(1,)]  # as a worker does that looks whether the tables are its own
    try:
        Worker()
        pool = cast(sa.QueuePool, hot_engine().pool)
        assert pool.size() == POOL + MOST_ROOM, "a pool that was made before is made anew"
        with ExitStack() as held:
            assert [held.enter_context(alone(f"message {n}")) for n in range(60)] == [True] * 60
            assert [held.enter_context(place_among("workflow", 3)) for _ in range(4)] == [
                True,
                True,
                True,
                False,
            ]
            assert fetch(
                "select count(distinct pid), count(*) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()"
            )[0] >= (1, 63)
            with alone("message 7") as mine:
                assert not mine
        with alone("message 7") as mine:
            assert mine
        assert pool.checkedout() == 0
    finally:
        make_room(0)
    assert database


def test_threads_that_let_go_at_once_leave_no_lock_and_let_nobody_in_beside_them(database: Database) -> None:
    names, inside, most, taken = (
        [f"record {n}" for n in range(3)],
        Counter[str](),
        list[int](),
        Counter[bool](),
    )
    counting = threading.Lock()

    def work(thread: int) -> None:
        for turn in range(60):
            name = names[(thread + turn) % len(names)]
            with alone(name) as mine, place_among("desk", 2) as place:
                with counting:
                    taken[mine] += 1
                    inside[name] += mine
                    inside["desk"] += place
                    most.append(max(inside[name], inside["desk"] - 1))
                with counting:
                    inside[name] -= mine
                    inside["desk"] -= place

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert taken.total() == 8 * 60
    assert taken[True] >= 60
    assert max(most) == 1
    assert fetch("select count(*) from pg_locks where locktype = 'advisory'") == [(0,)]
    assert database
