"""Quick jobs are done one after another by one thread that reads for all of them at once; none loses by what becomes of another."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from console import queue
from console.db import read_ahead
from console.db.engine import alone, alone_ahead, fetch, together
from console.queue.dispatch import TOGETHER, TOGETHER_S, Dispatcher, Pool, Together
from tests.conftest import Database
from tests.support.engine import until

JOBS = 120


@contextmanager
def delivering(pool: Pool) -> Iterator[None]:
    """A worker of this pool alone, after so many jobs were put in."""
    queue.enqueue_all([queue.Job(queue.SEND, str(number), str(number)) for number in range(JOBS)])
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


def test_those_behind_a_job_that_takes_long_are_done_by_others(clean: Database) -> None:
    done: list[str] = []
    hanging = threading.Event()

    def do(text: str) -> None:
        if int(text) == JOBS - 20:
            hanging.wait(60)
        done.append(text)

    with delivering(Pool({queue.SEND: do}, 2, {queue.SEND: Together(lambda _: None)})):
        try:
            begun = time.monotonic()
            assert until(lambda: len(done) == JOBS - 1)
            assert time.monotonic() - begun < 30 * TOGETHER_S
        finally:
            hanging.set()
        assert until(lambda: len(done) == JOBS)


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
