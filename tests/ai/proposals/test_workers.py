"""Worker processes that wait for a model: many calls at once, each once; a worker that dies, and one that is told to end."""

import os
import signal

import pytest

from console import runs
from console.infra import settings
from console.infra.db.engine import fetch
from tests.ai.proposals.conftest import House
from tests.support.engine import until, workers

pytestmark = pytest.mark.slow

MANY = 12


def pending() -> int:
    return int(fetch("select count(*) from console.ai_call where status = 'pending'")[0][0])


@pytest.fixture
def waiting(house: House, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Runs, each at a form for which a proposal is asked for and may take long: a process takes its time to begin. Their ids."""
    monkeypatch.setenv("CONSOLE_AI_SECONDS", "60")
    settings.current.cache_clear()
    for number in range(MANY):
        house.company.sql(
            "insert into customer (id, display_name, desk, balance) values (?, ?, 'retail', ?)",
            100 + number,
            f"Number {number}",
            number,
        )
    return [house.at_judge(record=str(100 + number)) for number in range(MANY)]


def test_two_workers_ask_for_each_once_and_all_at_a_time(house: House, waiting: list[str]) -> None:
    house.model.seconds = 1.0
    with workers(2):
        assert until(lambda: len(house.model.asked) == MANY)
        assert until(lambda: not pending())
    first, last = house.model.asked[0].at, house.model.asked[-1].at
    assert fetch("select status, count(*) from console.ai_call group by 1") == [("ok", MANY)]
    assert len(house.model.asked) == MANY
    assert last - first < MANY * house.model.seconds, "they do not wait for each other"
    for run_id in waiting:
        assert house.proposal(run_id)["status"] == "ready"


def test_the_engine_goes_on_while_calls_wait(house: House, waiting: list[str]) -> None:
    house.model.seconds = 5.0
    with workers(1):
        assert until(lambda: house.model.asked)
        run_id = runs.start(house.company.olivia, "triage", "customer", "1")
        fetch(
            "select queue.enqueue(array[0], array['advance'], array[convert_to(%s, 'UTF8')], array['0'::interval], array['probe'], array[null::jsonb])",
            (run_id,),
        )
        assert until(lambda: not fetch("select 1 from queue.pgqueuer where entrypoint = 'advance'"))
        assert pending() == MANY, "none of them was answered yet"


def test_what_a_killed_worker_was_at_is_made_or_given_up(house: House, waiting: list[str]) -> None:
    house.model.seconds = 40.0
    with workers(1) as (worker,):
        assert until(lambda: len(house.model.asked) == MANY)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        house.model.seconds = 0.0
        with workers(1):
            assert until(lambda: not pending())
    told = fetch("select distinct status, code from console.ai_call order by 1")
    assert set(told) <= {("ok", None), ("failed", "timeout")}
    for run_id in waiting:
        assert house.company.told(run_id)["status"] == "waiting_person"
