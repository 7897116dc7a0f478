"""Payments around which a process dies, freezes or thaws, or several are at once: each is made once, and none is lost."""

import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from console import runs, workflows
from console.core.errors import Conflict
from console.core.run.commands import Report
from console.infra.db.engine import alone, fetch
from console.runs.engine.effecting import record_report
from console.runs.store.run_store import load
from tests.company import Company
from tests.runs.commands.test_crash import act, together
from tests.runs.commands.test_midway import failing
from tests.support.acting import imported
from tests.support.engine import kinds, overdue, until, whole, workers
from tests.support.paying import PAY, RECALL, Provider, at_pay, back, made, pay, paying, providing

pytestmark = pytest.mark.slow


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with providing(monkeypatch) as made:
        yield made


# ------------------------------------------------------------------------------------------------------------- dies, freezes


@pytest.mark.parametrize(
    ("point", "paid", "step"),
    [
        ("effects.perform.before", [], "settle"),
        ("effects.perform.after", [5], "after"),
        ("effects.report.before", [5], "after"),
        ("log.write.before@3", [5], "after"),
        ("log.write.after@3", [5], "after"),
    ],
)
def test_a_process_that_dies_around_a_payment_never_pays_twice(
    company: Company, provider: Provider, point: str, paid: list[int], step: str
) -> None:
    """Where the provider can be asked, what was done is found; where it finds nothing, a person is asked and the same key is used."""
    paying()
    run_id = at_pay(company)
    place, _, number = point.partition("@")
    with failing(f"{place}=raise" + (f"@{number}" if number else "")), pytest.raises(Exception, match=place):
        pay(company, run_id)
    assert provider.payments == paid
    fetch("update console.run set active_at = now() - interval '1 minute' returning 1")
    company.work()
    told = company.told(run_id)
    assert (told["current"]["type"] if step == "settle" else told["current"]["step"]) == step
    if step == "settle":
        runs.settle(
            company.olivia,
            run_id,
            revision=None,
            effect=told["current"]["effect"]["id"],
            done=False,
            reason="It is not there.",
        )
    assert (company.told(run_id)["current"]["step"], provider.payments, len(set(provider.asked()))) == (
        "after",
        [5],
        1,
    )
    whole(run_id)


def test_a_slow_payment_becomes_a_question_and_its_answer_settles_it(
    company: Company, provider: Provider
) -> None:
    paying(step_seconds=60)
    run_id = at_pay(company)
    wanted: list[str] = []
    entered, leave = threading.Event(), threading.Event()

    def slow() -> None:
        with alone(run_id) as mine:
            assert mine
            entered.set()
            leave.wait(30)

    with failing("effects.perform.before=raise"), pytest.raises(Exception, match="effects"):
        pay(company, run_id)
    thread = threading.Thread(target=slow)
    thread.start()
    entered.wait(30)
    runs.pick_up()
    assert company.told(run_id)["status"] == "waiting_event", "there is time left"
    fetch("update console.run set active_at = now() - interval '61 seconds' returning 1")
    runs.pick_up()
    told = company.told(run_id)
    assert (told["status"], told["current"]["type"], told["current"]["take_over"]["code"]) == (
        "waiting_person",
        "settle",
        "timeout",
    )
    wanted.append(told["current"]["effect"]["id"])
    loaded = load(run_id)
    assert loaded is not None
    record_report(
        workflows.version(loaded.run.workflow, loaded.run.version), loaded, Report(wanted[0], "succeeded")
    )
    leave.set()
    thread.join()
    assert (company.told(run_id)["current"]["step"], kinds(run_id).count("effect_succeeded")) == ("after", 1)
    whole(run_id)


def test_what_nobody_is_at_is_looked_at_and_not_timed_out(company: Company, provider: Provider) -> None:
    paying(step_seconds=1)
    run_id = at_pay(company)
    with failing("effects.perform.after=raise"), pytest.raises(Exception, match="effects"):
        pay(company, run_id)
    fetch("update console.run set active_at = now() - interval '1 hour' returning 1")
    company.work()
    assert (company.told(run_id)["current"]["step"], "effect_unknown" in kinds(run_id)) == ("after", False)


def test_a_worker_that_freezes_while_it_pays_and_thaws_pays_once(
    company: Company, provider: Provider
) -> None:
    paying(by_itself=True, step_seconds=2)
    provider.mood = "busy"
    run_id = at_pay(company)
    provider.mood = "held"
    overdue(run_id)
    with workers(stopped=True) as (worker,):
        assert until(lambda: len(provider.asked()) == 2)
        worker.send_signal(signal.SIGSTOP)
        provider.held.set()
        fetch(
            "update console.run set active_at = now() - interval '1 minute' where id = %s returning 1",
            (run_id,),
        )
        runs.pick_up()
        assert company.told(run_id)["current"]["take_over"]["code"] == "timeout"
        worker.send_signal(signal.SIGCONT)
        assert until(
            lambda: (
                company.told(run_id)["current"]["step"] == "after"
                or "effect_reported" in kinds(run_id)
                or kinds(run_id).count("effect_unknown") > 1
            )
        )
    effect = company.told(run_id)["current"]["effect"]
    if effect is not None:
        assert runs.check(company.olivia, run_id, revision=None, effect=effect["id"]) == "done"
    assert (company.told(run_id)["current"]["step"], provider.payments, len(set(provider.asked()))) == (
        "after",
        [5],
        1,
    )
    whole(run_id)


def test_a_connection_cut_between_commit_and_reply_asks_for_nothing_twice(
    company: Company, provider: Provider
) -> None:
    """The client learns nothing; asked again with the revision it had, it is told that the run moved, and the payment was made once."""
    paying()
    run_id = at_pay(company)
    told = company.told(run_id)
    with failing("log.write.after=raise@1"), pytest.raises(Exception, match="log"):
        pay(company, run_id)
    with pytest.raises(Conflict) as stale:
        runs.complete(
            company.olivia,
            run_id,
            runs.Submission(step="pay", revision=told["revision"], values={"amount": 5}),
        )
    assert stale.value.code == "stale_revision"
    fetch("update console.run set active_at = now() - interval '1 minute' returning 1")
    company.work()
    now = company.told(run_id)
    assert now["current"]["type"] == "settle", "it may have left: a person is asked"
    assert (
        runs.check(company.olivia, run_id, revision=None, effect=now["current"]["effect"]["id"]) == "not_done"
    )
    assert (kinds(run_id).count("effect_requested"), provider.payments) == (1, [5])


def test_several_at_once_pay_once(company: Company, provider: Provider) -> None:
    paying()
    run_id = at_pay(company)
    told = company.told(run_id)

    def click() -> None:
        runs.complete(
            company.olivia,
            run_id,
            runs.Submission(step="pay", revision=told["revision"], values={"amount": 5}),
        )

    assert sorted(together(click, click, click)) == ["done", "stale_revision", "stale_revision"]
    assert provider.payments == [5]
    runs.cancel(company.mona, run_id, revision=None, reason="next")


# ----------------------------------------------------------------------------------------------- killed at every point there is


def settle_all(company: Company, run_id: str) -> dict[str, Any]:
    """What a worker and then the person do about what a killed process left, until nothing is open."""
    for _ in range(6):
        fetch(
            "update console.run set active_at = now() - interval '1 minute' where id = %s returning 1",
            (run_id,),
        )
        company.work()
        told = company.told(run_id)
        effect = (told["current"] or {}).get("effect")
        if effect is None or effect["status"] != "unknown":
            break
        runs.check(company.olivia, run_id, revision=None, effect=effect["id"])
    return company.told(run_id)


def do(company: Company, run_id: str, verb: str) -> None:
    """What a person asks for."""
    told = company.told(run_id)
    match verb:
        case "pay":
            pay(company, run_id)
        case "compensate":
            pay(company, run_id, 6, repeat="compensate")
        case "abort":
            runs.abort(
                company.olivia, run_id, revision=told["revision"], reason="enough", compensate=made(told)
            )
        case "revise":
            runs.revise(
                company.olivia,
                run_id,
                revision=told["revision"],
                step="look",
                attempt=None,
                reason="again",
                compensate=made(told),
            )


@pytest.mark.parametrize("verb", ["pay", "compensate", "abort", "revise"])
def test_killed_at_every_point_nothing_is_done_twice_or_lost(
    company: Company, provider: Provider, verb: str
) -> None:
    """SIGKILL at the first, second, … point that is passed, until none is left; then a worker, the person, and the same once more where it was not taken."""
    recall = RECALL | {
        "effects": [RECALL["effects"][0] | {"look_up": PAY["effects"][0]["look_up"] | {"result": {}}}]
    }
    paying()
    imported(recall)
    for number in range(1, 40):
        provider.done.clear()
        run_id = at_pay(company)
        if verb != "pay":
            pay(company, run_id)
        if verb == "compensate":
            back(company, run_id)
        before = company.told(run_id)
        status = act(company, run_id, verb, f"*=kill@{number}", do)
        whole(run_id)
        after = settle_all(company, run_id)
        if after["revision"] == before["revision"]:
            do(company, run_id, verb)
            after = settle_all(company, run_id)
        wanted = {
            "pay": ([5], [], "after"),
            "compensate": ([5, 6], ["pay_1"], "after"),
            "abort": ([5], ["pay_1"], None),
            "revise": ([5], ["pay_1"], "look"),
        }
        assert (provider.payments, provider.recalls, (after["current"] or {}).get("step")) == wanted[verb], (
            number
        )
        assert len(provider.done) == len(provider.payments) + len(provider.recalls)
        whole(run_id)
        if after["current"]:
            runs.abort(company.olivia, run_id, revision=None, reason="next")
        if status == 0:
            assert number > 4
            return
    pytest.fail("a point is passed again and again")
