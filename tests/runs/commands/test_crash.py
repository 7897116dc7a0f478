"""A process that dies between any two lines of a transition: what was acknowledged is there once, what was not is there wholly or not at all."""

import functools
import os
import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from console import log, runs
from console.core.errors import Conflict, ConsoleError
from console.core.run import fold
from console.infra.db import engine
from console.runs.store.run_events import as_event
from console.runs.store.run_store import load
from tests.company import Company

pytestmark = pytest.mark.slow


def do(company: Company, run_id: str, verb: str) -> None:
    """What a person asks for."""
    actor, told = company.olivia, company.told(run_id)
    match verb:
        case "complete":
            runs.complete(
                actor,
                run_id,
                runs.Submission(
                    step=told["current"]["step"], revision=told["revision"], values={"risk": "high"}
                ),
            )
        case "revise":
            runs.revise(actor, run_id, revision=told["revision"], step="note", attempt=None, reason="again")
        case "save":
            runs.save(actor, run_id, revision=told["revision"])
        case "abort":
            runs.abort(actor, run_id, revision=told["revision"], reason="enough")
        case "start":
            runs.start(actor, "care-review", "customer", "2", {"why": "event"})


def act(
    company: Company, run_id: str, verb: str, fault: str, do: Callable[[Company, str, str], object] = do
) -> int:
    """Do it in a process of its own that fails at the point; 0 when it came through, else the signal that ended it."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            engine.hot_engine().dispose(close=False)  # the parent's connections are its own
            engine.engine().dispose(close=False)
            os.environ["HANDRAIL_FAULT"] = fault
            do(company, run_id, verb)
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def whole(run_id: str) -> None:
    """The log and the rows tell the same run, and the numbers have no gap."""
    loaded = load(run_id, whole=True)
    assert loaded is not None
    events = log.events_of(run_id)
    then = fold(as_event(event) for event in events)
    assert (then.status, then.seq, then.revision, then.current) == (
        loaded.run.status,
        loaded.run.seq,
        loaded.run.revision,
        loaded.run.current,
    )
    assert (then.attempts, then.context) == (loaded.run.attempts, loaded.run.context)
    assert [event.n for event in events] == list(range(1, len(events) + 1))


@pytest.mark.parametrize("verb", ["complete", "revise", "save", "abort"])
def test_killed_at_every_point(company: Company, verb: str) -> None:
    """SIGKILL at the first, second, … point that the command passes, until none is left; then it is done again, as a person would."""
    step = "rate" if verb == "complete" else "decide"
    for number in range(1, 30):
        company.sql("update customer set risk = null where id = 1")
        run_id = company.at(step)
        before = company.told(run_id)
        status = act(company, run_id, verb, f"*=kill@{number}")
        whole(run_id)
        runs.advance(run_id)
        whole(run_id)
        after = company.told(run_id)
        if after["revision"] == before["revision"]:
            assert act(company, run_id, verb, "") == 0
            after = company.told(run_id)
        if verb == "complete":
            assert after["current"]["step"] == "decide"
            assert company.sql("select risk from customer where id = 1") == [("high",)]
            rated = next(each for each in after["attempts"] if each["step"] == "rate")
            assert [effect["status"] for effect in rated["effects"]] == ["succeeded"]
        whole(run_id)
        if after["status"] == "saved":
            runs.resume(company.olivia, run_id, revision=after["revision"])
        if company.told(run_id)["current"]:
            runs.abort(company.olivia, run_id, revision=company.told(run_id)["revision"], reason="next")
        if status == 0:
            break
    assert status == 0
    assert number > 4


def test_killed_while_starting_leaves_a_whole_run_or_none(company: Company) -> None:
    for number in range(1, 20):
        run_id = company.started()
        status = act(company, run_id, "start", f"*=kill@{number}")
        for head in runs.on_record(company.olivia, "customer", "2"):
            runs.advance(head.id)
            whole(head.id)
            if head.live:
                runs.abort(company.olivia, head.id, revision=company.told(head.id)["revision"], reason="next")
        runs.abort(company.olivia, run_id, revision=company.told(run_id)["revision"], reason="next")
        if status == 0:
            return
    pytest.fail("a point is passed again and again")


def test_an_effect_whose_fate_cannot_be_told_is_for_a_person(company: Company) -> None:
    run_id = company.at("rate")
    assert act(company, run_id, "complete", "effects.perform.before=kill") != 0
    company.sql("update customer set risk = 'medium' where id = 1")  # neither the old value nor the new one
    runs.advance(run_id)
    told = company.told(run_id)
    assert (told["status"], told["current"]["type"], told["current"]["take_over"]["code"]) == (
        "waiting_person",
        "settle",
        "values_moved",
    )
    effect = told["attempts"][-1]["effects"][0]["id"]
    with pytest.raises(Conflict):
        runs.abort(company.olivia, run_id, revision=told["revision"], reason="enough")
    runs.settle(
        company.olivia,
        run_id,
        revision=told["revision"],
        effect=effect,
        done=True,
        reason="Mona set it to medium on purpose.",
    )
    assert company.told(run_id)["current"]["step"] == "decide"


def test_settled_as_not_done_it_is_done_again_and_a_refusal_opens_the_form(company: Company) -> None:
    run_id = company.at("rate")
    assert act(company, run_id, "complete", "effects.perform.before=kill") != 0
    company.sql("update customer set risk = 'medium' where id = 1")
    runs.advance(run_id)
    told = company.told(run_id)
    effect = told["attempts"][-1]["effects"][0]["id"]
    runs.settle(
        company.olivia,
        run_id,
        revision=told["revision"],
        effect=effect,
        done=False,
        reason="It has another value.",
    )
    after = company.told(run_id)
    assert (after["current"]["type"], after["current"]["step"]) == ("update_data", "rate")
    assert after["current"]["errors"][0]["field"] == "risk"
    assert {each["name"]: each["value"] for each in after["current"]["form"]["fields"]}["risk"] == "high"


def together(*acts: Callable[[], Any]) -> list[Any]:
    """What came of things done at the same moment: an answer or the error."""
    gate = threading.Barrier(len(acts))
    out: list[Any] = [None] * len(acts)

    def one(number: int, what: Callable[[], Any]) -> None:
        gate.wait()
        try:
            out[number] = what() or "done"
        except ConsoleError as error:
            out[number] = error.code

    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return out


def test_a_double_click_completes_once(company: Company) -> None:
    for _ in range(5):
        run_id = company.at("note")
        told = company.told(run_id)
        got = together(*[functools.partial(company.answer, run_id, "olivia", told, note="once")] * 3)
        assert sorted(got) == ["done", "stale_revision", "stale_revision"]
        whole(run_id)
        runs.abort(company.olivia, run_id, revision=company.told(run_id)["revision"], reason="next")


def test_two_people_who_start_at_once_share_one_run(company: Company) -> None:
    for _ in range(5):
        got = together(
            lambda: company.started(by="olivia"),
            lambda: company.started(by="tom"),
            lambda: company.started(by="mona"),
        )
        (run_id,) = [each for each in got if each.startswith("run_") and each != "run_is_live"]
        assert got.count("run_is_live") == 2
        runs.cancel(company.mona, run_id, revision=company.told(run_id, "mona")["revision"], reason="next")


def test_looking_and_completing_at_once_lose_nothing(company: Company) -> None:
    run_id = company.at("note")
    told = company.told(run_id)
    got = together(
        lambda: company.answer(run_id, "olivia", told, note="typed"),
        *(lambda: company.told(run_id, "tom")["id"] for _ in range(3)),
        *(lambda: company.told(run_id, "mona")["id"] for _ in range(3)),
    )
    assert got[0] == "done"
    assert set(got[1:]) == {run_id}
    whole(run_id)


def test_a_completed_step_costs_two_statements(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = company.at("note")
    told = company.told(run_id)
    sent: list[str] = []
    execute = psycopg.Cursor.execute

    def counted(self: Any, query: Any, *given: Any, **more: Any) -> Any:
        if self.connection.info.dbname.startswith("company"):
            sent.append(str(query))
        return execute(self, query, *given, **more)

    monkeypatch.setattr(psycopg.Cursor, "execute", counted)
    company.answer(run_id, "olivia", told, note="counted")
    statements = [
        query for query in sent if "version" not in query
    ]  # the rights' version is asked at most once a second
    assert len(statements) <= 4, statements
    assert sum("console.transition" in query for query in statements) == 1
