"""Jobs that wait for somebody outside hold no thread of the others."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from console.infra import jobs as queue
from console.infra.db.engine import fetch
from console.infra.jobs import outside_places
from console.infra.jobs.dispatch import Dispatcher
from console.infra.jobs.job_threads import Pool
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

    pool = Pool({queue.SEND: do}, threads, outside=8)
    with delivering(pool):
        try:
            assert until(lambda: len(done) == JOBS - 3 * threads)
            assert until(lambda: len(out) == 3 * threads)
            assert until(lambda: len(fetch("select id from queue.pgqueuer")) == 3 * threads), (
                "those that are done are told at once"
            )
        finally:
            answer.set()
        assert until(lambda: len(done) == JOBS and not fetch("select id from queue.pgqueuer"))
    assert set(done.values()) == {1}


def test_no_target_takes_the_places_of_others_and_one_that_is_silent_is_asked_by_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
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
