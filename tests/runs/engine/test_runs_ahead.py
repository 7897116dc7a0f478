"""A run that was read for several jobs at once, and has moved or ended since, is gone on with from where it is."""

import threading

import pytest

from console import runs
from console.db.engine import together
from tests.company import Company
from tests.support.engine import counting, kinds, overdue, started, waiting, whole


def beside(run_id: str) -> None:
    """What another worker does."""
    thread = threading.Thread(target=runs.advance, args=(run_id,))
    thread.start()
    thread.join()


@pytest.mark.parametrize("timer", [False, True])
def test_what_another_worker_did_meanwhile_is_not_done_again(company: Company, timer: bool) -> None:
    if timer:
        waiting({"hours": 1})
    else:
        counting(30)
    run_ids = [started(company, "waiting" if timer else "counting") for _ in range(3)]
    for run_id in run_ids if timer else ():
        company.answer(run_id)
        overdue(run_id)
    with together():
        runs.read_ahead(run_ids)
        beside(run_ids[0])
        told = kinds(run_ids[0])
        for run_id in run_ids:
            runs.advance(run_id)
    assert kinds(run_ids[0])[: len(told)] == told
    for run_id in run_ids:
        runs.advance(run_id)
        whole(run_id)
    assert len({tuple(kinds(run_id)) for run_id in run_ids}) == 1, "each step once"
