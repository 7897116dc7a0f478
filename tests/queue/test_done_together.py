"""Quick jobs are done one after another by one thread that reads for all of them at once; none loses by what becomes of another."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from console import queue
from console.db import read_ahead
from console.db.engine import alone, alone_ahead, fetch, together
from console.queue import outside_places
from console.queue.dispatch import Dispatcher
from console.queue.job_threads import QUICK_S, TOGETHER, TOGETHER_S, Pool, Together
from tests.conftest import Database
from tests.support.engine import until

JOBS = 120


@contextmanager
def delivering(pool: Pool, jobs: int = JOBS) -> Iterator[None]:
    """A worker of this pool alone, after so many jobs were put in."""
    queue.enqueue_all([queue.Job(queue.SEND, str(number), str(number)) for number in range(jobs)])
    dispatcher = Dispatcher([pool])
    thread = threading.Thread(target=dispatcher.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        dispatcher.stop()
        thread.join(30)


def test_what_is_read_ahead_is_of_the_jobs_that_are_done_next(clean: Database) -> None:
    done: list[tuple[str, str | None]] = []
    asked: list[Sequence[str]] = []

    def ahead(texts: Sequence[str]) -> None:
        asked.append(texts)
        read_ahead.keep("text", {text: f"of {text}" for text in texts})

    def do(text: str) -> None:
        done.append((text, read_ahead.take("text", text)))

    with delivering(Pool({queue.SEND: do}, 2, {queue.SEND: Together(ahead)})):
        assert until(lambda: len(done) == JOBS)
        assert until(lambda: not fetch("select id from queue.pgqueuer"))
    together_done = {text for texts in asked for text in texts}
    assert Counter(text for text, _ in done) == Counter(str(number) for number in range(JOBS)), "each once"
    assert {text for text, known in done if known == f"of {text}"} == together_done
    assert len(together_done) > JOBS / 2
    assert max(map(len, asked)) <= TOGETHER


def test_a_job_that_fails_or_is_put_back_leaves_the_others_alone(clean: Database) -> None:
    done: Counter[str] = Counter()

    def do(text: str) -> None:
        done[text] += 1
        if int(text) % 10 == 7 and done[text] == 1:
            raise queue.PutBack
        if int(text) % 10 == 3:
            raise ValueError("NUL") from None

    def ahead(_: Sequence[str]) -> None:
        raise KeyError("what is read ahead")

    with delivering(Pool({queue.SEND: do}, 2, {queue.SEND: Together(ahead)})):
        assert until(lambda: all(done[str(number)] >= (2 if number % 10 == 7 else 1) for number in range(JOBS)))
        assert until(lambda: not fetch("select id from queue.pgqueuer where status = 'picked'"))
    left = {row[0] for row in fetch("select convert_from(payload, 'UTF8') from queue.pgqueuer")}
    assert left == {str(number) for number in range(JOBS) if number % 10 == 3}, "they come again later"
    assert all(times == 1 for text, times in done.items() if int(text) % 10 not in (3, 7))


@pytest.mark.parametrize("busy", [False, True])
def test_those_behind_a_job_that_takes_long_are_done_by_others(clean: Database, busy: bool) -> None:
    done: list[str] = []
    hanging = threading.Event()

    def work() -> None:
        while busy and not hanging.is_set():
            pass

    def do(text: str) -> None:
        if int(text) == JOBS - 20:
            hanging.wait(60)
        done.append(text)

    with delivering(Pool({queue.SEND: do}, 2, {queue.SEND: Together(lambda _: None)})):
        threading.Thread(target=work).start()
        try:
            begun = time.monotonic()
            assert until(lambda: len(done) == JOBS - 1)
            assert time.monotonic() - begun < 30 * TOGETHER_S
        finally:
            hanging.set()
        assert until(lambda: len(done) == JOBS)


@pytest.mark.parametrize("works", [True, False])
def test_what_takes_long_because_much_is_done_at_once_is_done_together_and_what_waits_is_not(clean: Database, works: bool) -> None:
    asked, done, threads = list[str](), list[str](), 8
    alone_s = 1.2 * QUICK_S / threads if works else 1.2 * QUICK_S

    def do(text: str) -> None:
        if works:
            begun = time.thread_time()
            while time.thread_time() - begun < alone_s:
                pass
        else:
            time.sleep(alone_s)
        done.append(text)

    with delivering(Pool({queue.SEND: do}, threads, {queue.SEND: Together(asked.extend)}), jobs := 5 * threads):
        assert until(lambda: len(done) == jobs)
    assert len(asked) > jobs / 2 if works else not asked


def test_a_lock_that_was_taken_ahead_is_nobody_elses_until_it_was_used_or_the_end(clean: Database) -> None:
    def free(name: str) -> bool:
        found: list[bool] = []

        def look() -> None:
            with alone(name) as mine:
                found.append(mine)

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        return found[0]

    with together():
        with alone("taken"):
            assert alone_ahead(["a", "b", "taken"]) == {"a", "b"}
        assert [free("a"), free("b"), free("taken")] == [False, False, True]
        with alone("a") as mine:
            assert mine
            assert not free("a")
        assert [free("a"), free("b")] == [True, False]
        with alone("a") as again:
            assert again
    assert [free("a"), free("b")] == [True, True]
    assert read_ahead.take("text", "a") is None


def test_jobs_that_wait_for_somebody_outside_hold_no_thread_of_the_others(clean: Database) -> None:
    threads, done, out = 2, Counter[str](), list[str]()
    answer = threading.Event()

    def do(text: str) -> None:
        if int(text) < 3 * threads:
            if not outside_places.take("provider"):
                raise queue.PutBack(0.1)
            with outside_places.waiting():
                out.append(text)
                answer.wait(60)
        done[text] += 1

    pool = Pool({queue.SEND: do}, threads, {queue.SEND: Together(lambda _: None)}, outside=8)
    with delivering(pool):
        try:
            begun = time.monotonic()
            assert until(lambda: len(done) == JOBS - 3 * threads)
            assert time.monotonic() - begun < 20 * TOGETHER_S
            assert until(lambda: len(out) == 3 * threads)
            assert until(lambda: len(fetch("select id from queue.pgqueuer")) == 3 * threads), "those that are done are told at once"
        finally:
            answer.set()
        assert until(lambda: len(done) == JOBS and not fetch("select id from queue.pgqueuer"))
    assert set(done.values()) == {1}


def test_no_target_takes_the_places_of_others_and_one_that_is_silent_is_asked_by_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside_places, "SILENT_S", -1.0)
    target, other = "silent", "other"
    inside, results = threading.Barrier(outside_places.EACH + 1), list[bool]()

    def ask(good: bool) -> None:
        with outside_places.doing(outside_places.Waiter(lambda: None, lambda: None)):
            results.append(outside_places.take(target))
            with outside_places.waiting() as answered:
                inside.wait(20)
                inside.wait(20)
                if good:
                    answered()

    def free(about: str) -> bool:
        with outside_places.doing(outside_places.Waiter(lambda: None, lambda: None)):
            return outside_places.take(about)

    for good in (False, True):
        asking = [threading.Thread(target=ask, args=(good,)) for _ in range(outside_places.EACH)]
        for thread in asking:
            thread.start()
        inside.wait(20)
        assert (free(target), free(other)) == (False, True)
        inside.wait(20)
        for thread in asking:
            thread.join(20)
        assert all(results)
        assert len(results) == outside_places.EACH
        results.clear()
        if not good:  # nobody answered: one may look whether somebody does
            with outside_places.doing(outside_places.Waiter(lambda: None, lambda: None)):
                assert outside_places.take(target)
                taken = list[bool]()
                beside = threading.Thread(target=lambda taken=taken: taken.append(free(target)))
                beside.start()
                beside.join(20)
                assert taken == [False]
                with outside_places.waiting() as answered:
                    answered()
