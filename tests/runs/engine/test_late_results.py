"""Results that come when a person has settled the change already, and the run has gone on, back, aside or to its end: noted, and nothing changes."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from console import runs, workflows
from console.core.errors import ConsoleError
from console.core.run.commands import Report
from console.runs.engine.effecting import record_report
from console.runs.store.run_store import load
from tests.company import Company
from tests.support.engine import kinds, whole
from tests.support.paying import Provider, back, effects, providing, unknown

pytestmark = pytest.mark.slow
Move = Callable[[Company, str], object]
MOVES: dict[str, Move] = {
    "on": lambda _company, _run: None,
    "back": lambda company, run: back(company, run, "look"),
    "back to the payment": lambda company, run: back(company, run, "pay"),
    "aside": lambda company, run: runs.save(company.olivia, run, revision=None),
    "aborted": lambda company, run: runs.abort(company.olivia, run, revision=None, reason="Enough."),
    "cancelled": lambda company, run: runs.cancel(company.mona, run, revision=None, reason="Enough."),
    "to its end": lambda company, run: company.answer(run),
}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with providing(monkeypatch) as made:
        yield made


def late(run_id: str, effect: str, status: str) -> None:
    """What a process says that was slow, and knows of nothing else."""
    loaded = load(run_id)
    assert loaded is not None
    record_report(
        workflows.version(loaded.run.workflow, loaded.run.version),
        loaded,
        Report(effect, status, message="Late."),
    )


def standing(told: dict[str, Any]) -> dict[str, Any]:
    """The run without the number of its last event."""
    return {name: value for name, value in told.items() if name not in ("last_event", "updated_at")}


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("move", MOVES)
def test_a_result_that_comes_late_is_noted_and_changes_nothing(
    company: Company, provider: Provider, move: str, done: bool
) -> None:
    run_id, told = unknown(company, provider, "mute" if done else "deaf")
    effect = told["current"]["effect"]["id"]
    runs.settle(company.olivia, run_id, revision=None, effect=effect, done=done, reason="I looked there.")
    assert company.told(run_id)["current"]["step"] == "after"
    MOVES[move](company, run_id)
    before, paid = standing(company.told(run_id, "mona")), list(provider.payments)
    for status in ("succeeded", "failed", "unknown"):
        late(run_id, effect, status)
    company.work()
    assert standing(company.told(run_id, "mona")) == before
    assert kinds(run_id)[-3:] == ["effect_reported"] * 3
    assert (provider.payments, len(set(provider.asked()))) == (paid, 1)
    whole(run_id)


def test_of_two_who_settle_at_once_one_does(company: Company, provider: Provider) -> None:
    run_id, told = unknown(company, provider, "deaf")
    wanted = {
        "revision": told["revision"],
        "effect": told["current"]["effect"]["id"],
        "reason": "I looked there.",
    }

    def settle(done: bool) -> str:
        try:
            runs.settle(company.olivia, run_id, done=done, **wanted)
        except ConsoleError as error:
            return error.code
        return "settled"

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(settle, [True, False]))
    assert said in (["not_possible", "settled"], ["settled", "stale_revision"]), said
    assert company.told(run_id)["current"]["step"] == "after"
    assert kinds(run_id).count("effect_settled") == 1
    assert len(provider.payments) <= 1
    assert effects(company.told(run_id))[0][1] == "succeeded"
    whole(run_id)
