"""Jobs are put in with the transaction that needs them, once for each key, by the library's own words."""

import gc
import os
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import psycopg
import pytest
import sqlalchemy as sa
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import TableChangedEvent

from console.infra import jobs as queue
from console.infra.db.engine import fetch, hot_engine, transaction
from console.infra.jobs.dispatch import SETTINGS, Dispatcher
from console.infra.jobs.job_threads import JobFailed, Pool
from tests.conftest import Database


def jobs() -> list[tuple[str, str, str]]:
    rows = fetch(
        "select entrypoint, convert_from(payload, 'UTF8'), dedupe_key from queue.pgqueuer order by id"
    )
    return [(row[0], row[1], row[2]) for row in rows]


def test_a_job_comes_and_goes_with_the_transaction(clean: Database) -> None:
    with transaction() as connection:
        assert queue.enqueue(connection, "advance", "run_ü", dedupe_key="a")
        assert jobs() == []
        assert queue.enqueue(connection, "advance", "run_2", dedupe_key="a") is None
    with hot_engine().connect().execution_options(isolation_level="READ COMMITTED") as connection:
        queue.enqueue(connection, "advance", "run_3")
        connection.rollback()
    assert jobs() == [("advance", "run_ü", "a")]
    assert (
        queue.enqueue_all([queue.advance("run_4", 7), queue.advance("run_4", 7), queue.advance("run_4", 8)])
        == 2
    )
    assert queue.enqueue_all([]) == 0
    assert [row[2] for row in jobs()] == ["a", "run_4:7", "run_4:8"]


def test_no_variable_of_the_environment_names_other_tables() -> None:
    """The library reads `CHANNEL`, `QUEUE_TABLE` and more from the environment, with and without a prefix of its own."""
    script = "from console.infra.jobs.dispatch import SETTINGS; print(SETTINGS.model_dump_json())"
    plain = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    names = [name for name in SETTINGS.model_dump() if name not in ("durability", "widen_id")]
    hostile = {f"{prefix}{name}".upper(): "other_" for name in names for prefix in ("", "pgqueuer_")} | {
        "PGQUEUER_SCHEMA": "other"
    }
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ | hostile
    ).stdout
    assert told == plain
    assert "other" not in told


@pytest.mark.parametrize(
    "statement",
    [
        "drop table queue.pgqueuer",
        "truncate queue.pgqueuer",
        "alter table queue.pgqueuer disable trigger all",
        "create table queue.mine ()",
        "drop function queue.enqueue",
    ],
)
def test_the_application_fills_the_queue_and_owns_nothing_of_it(clean: Database, statement: str) -> None:
    import psycopg

    with (
        psycopg.connect(clean.url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (psycopg.DataError("NUL"), False),
        (sa.exc.DataError("select 1", {}, psycopg.errors.NumericValueOutOfRange("too large")), False),
        (sa.exc.IntegrityError("select 1", {}, psycopg.errors.UniqueViolation("twice")), True),
        (sa.exc.OperationalError("select 1", {}, psycopg.errors.DeadlockDetected("turn")), True),
        (psycopg.OperationalError("gone"), True),
    ],
)
def test_a_value_that_cannot_be_stored_fails_its_job_at_once_and_by_name(
    error: Exception, again: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(payload: str) -> None:
        raise error

    job = SimpleNamespace(id=7, payload=b"", attempts=0)
    with pytest.raises(RetryRequested if again else JobFailed, match=None if again else type(error).__name__):
        Dispatcher([])._do("advance", fail, job)  # type: ignore[arg-type]
    assert ("the database does not answer" in caplog.text) is isinstance(
        error, sa.exc.OperationalError | psycopg.OperationalError
    )


def test_a_worker_keeps_no_notice_of_jobs_that_are_done_and_misses_none(clean: Database) -> None:
    done: list[str] = []

    def do(text: str) -> None:
        done.append(text)
        if text.isdigit():  # a job that brings the next one, as a loop over many items does
            with transaction() as connection:
                queue.enqueue(connection, queue.FIRE, f"from {text}", dedupe_key=f"from {text}")

    dispatcher = Dispatcher([Pool({queue.BEGIN: do, queue.FIRE: do}, 2)])
    thread = threading.Thread(target=dispatcher.run, daemon=True)
    thread.start()
    try:
        for number in range(150):
            with transaction() as connection:
                queue.enqueue(connection, queue.BEGIN, str(number), dedupe_key=str(number))
        until = time.monotonic() + 30
        while len(done) < 300 and time.monotonic() < until:
            time.sleep(0.01)
        assert len(set(done)) == 300
        gc.collect()
        assert sum(isinstance(each, TableChangedEvent) for each in gc.get_objects()) < 5
    finally:
        dispatcher.stop()
        thread.join(10)


def test_what_comes_when_the_job_before_it_is_just_over_is_done_at_once(clean: Database) -> None:
    """The end of a job is written down a moment after it. Nobody looks here for what was left, as a worker does once in a while."""
    waiting, looked = [0], threading.Event()

    def do(_thing: str) -> None:
        waiting.clear()
        looked.set()

    dispatcher = Dispatcher([Pool({queue.FIRE: do}, 1)])
    thread = threading.Thread(target=dispatcher.run, daemon=True)
    thread.start()
    try:
        for number in range(20):
            looked.clear()
            waiting.append(number)
            with transaction() as connection:
                queue.enqueue_look(connection, queue.FIRE, "wf_1", dedupe_key="fire:wf_1")
            assert looked.wait(20), f"what was put in behind {number} jobs is left"
            time.sleep(0.02)  # less than the end of the job before takes to be written down
        assert not waiting
    finally:
        dispatcher.stop()
        thread.join(10)


def test_a_look_that_waits_is_enough_for_all_that_comes_until_it_begins(clean: Database) -> None:
    def look() -> None:
        with transaction() as connection:
            queue.enqueue_look(connection, queue.FIRE, "wf_1", dedupe_key="fire:wf_1")

    for wanted in (1, 2):  # the one before was begun
        for _ in range(3):
            look()
        assert [row[:2] for row in jobs()] == [("fire", "wf_1")] * wanted
        fetch("update queue.pgqueuer set status = 'picked' returning 1")
    look()
    assert len(jobs()) == 3, "both may be over"


def test_a_look_does_not_begin_before_the_end_of_a_transaction_that_counts_on_it(clean: Database) -> None:
    with transaction() as connection:
        queue.enqueue_look(connection, queue.FIRE, "wf_1", dedupe_key="fire:wf_1")
    fetched = (
        "select count(*) from (select from queue.pgqueuer where status = 'queued' for update skip locked) q"
    )
    with transaction() as first, transaction() as second:
        for each in (first, second):
            queue.enqueue_look(each, queue.FIRE, "wf_1", dedupe_key="fire:wf_1")
        assert fetch(fetched) == [(0,)]
    assert fetch(fetched) == [(1,)]
