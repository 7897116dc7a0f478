"""A run that takes longer than its workflow allows ends as timed out, waiting aside; what waits while the workflow is paused goes on late, and in order."""

import time
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from console import log, runs, workflows
from console.automation.enrolments import beginning
from console.core.run import Event, Run, evolve
from console.infra.db.engine import fetch, transaction
from console.runs.engine import advancing, stepping, sweep
from console.runs.store.run_store import load
from console.views.runs.wait_words import words_of_pause
from tests.company import Company
from tests.core.graphs import NOW
from tests.support.engine import counting, kinds, overdue, publish, step, until, waiting, whole


def slow(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Each automatic step takes so long."""

    def slowly(*given: Any) -> Any:
        time.sleep(seconds)
        return stepping.context_of(*given)

    monkeypatch.setattr(advancing, "context_of", slowly)


def test_a_run_that_takes_too_long_ends_as_timed_out(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting(8, timeout_ms=1000)
    slow(monkeypatch, 0.3)
    run_id = runs.start(company.olivia, "counting", None, None)
    told = company.told(run_id)
    assert (told["status"], told["holder"], told["current"]) == ("timed_out", None, None)
    (event,) = [event for event in log.events_of(run_id) if event.type == "run_timed_out"]
    assert (event.open["limit_seconds"], kinds(run_id)[-1]) == (1, "run_timed_out")
    assert [head.id for head in runs.find(company.olivia, {"status": "timed_out"})[0]] == [run_id]
    assert runs.replay(company.olivia, run_id).json["run"]["status"] == "timed_out"
    whole(run_id)


def test_waiting_and_people_take_the_time_they_take(company: Company) -> None:
    steps = [
        step("start", "start", "read"),
        step("read", "guidance", "pause", {"text": "Read."}),
        step("pause", "wait", "reckon", {"duration": "hours(1)"}),
        step("reckon", "output", "end", {"values": {"n": "1 + 1"}}),
        step("end", "end", None),
    ]
    publish("patient", steps, timeout_ms=1000)
    run_id = runs.start(company.olivia, "patient", None, None)
    fetch(
        "update console.run set active_at = active_at - interval '2 days' where id = %s returning 1",
        (run_id,),
    )
    company.answer(run_id)
    overdue(run_id)
    fetch(
        "update console.run set active_at = active_at - interval '2 days' where id = %s returning 1",
        (run_id,),
    )
    company.work()
    assert company.told(run_id)["status"] == "completed"


def test_only_what_the_console_works_counts() -> None:
    run = Run(status="running", active_at=NOW)
    for status, waits, seconds, counted in [
        ("running", None, 3, 3000),
        ("waiting_event", {"for": "effect"}, 2, 2000),
        ("waiting_event", {"for": "approval"}, 2, 0),
        ("waiting_person", None, 2, 0),
        ("waiting_time", {"for": "time"}, 2, 0),
        ("waiting_time", {"for": "retry"}, 2, 0),
        ("saved", None, 2, 0),
        ("running", None, 24 * 3600, 60_000),
        ("running", None, -5, 0),
    ]:
        run.status, run.waiting, run.worked_ms = status, waits, 0  # type: ignore[assignment]
        after = evolve(
            run,
            Event("run_released", NOW + timedelta(seconds=seconds), {"revision": 1, "former_holder": None}),
        )
        assert after.worked_ms == counted, (status, waits)


def test_what_is_due_while_the_workflow_is_paused_comes_late_and_in_order(company: Company) -> None:
    waiting({"duration": "hours(1)"})
    made = []
    for number in range(3):
        run_id = runs.start(company.olivia, "waiting", None, None)
        company.answer(run_id)
        made.append(run_id)
        overdue(run_id)
        fetch(
            "update console.run set waiting = jsonb_set(waiting, '{until}', to_jsonb(%s::text)) where id = %s returning 1",
            (f"2026-01-01T00:00:0{3 - number}.000000Z", run_id),
        )
    workflows.pause(company.mona, "waiting")
    before = [load(run_id) for run_id in made]
    assert company.work() == 0
    for run_id in made:
        runs.advance(run_id)
    assert [load(run_id) for run_id in made] == before, "nothing of them moved"
    assert "is paused" in words_of_pause(company.told(made[0])), "whoever looks at the run is told why"
    workflows.activate(company.mona, "waiting")
    assert words_of_pause(company.told(made[0])) == ""
    assert runs.wake() == 3
    queued = [
        row[0]
        for row in fetch(
            "select convert_from(payload, 'UTF8') from queue.pgqueuer where status = 'queued' order by id"
        )
    ]
    assert queued == [made[2], made[1], made[0]], "the longest overdue first"
    company.work()
    assert {company.told(run_id)["status"] for run_id in made} == {"waiting_person"}
    for run_id in made:
        whole(run_id)


def test_people_go_on_while_the_workflow_is_paused(company: Company) -> None:
    run_id = company.at("note")
    workflows.pause(company.mona, "care-review")
    company.answer(run_id)
    assert company.told(run_id)["current"]["step"] == "rate"


def test_looks_for_what_has_to_move_read_no_run_that_rests(company: Company) -> None:
    waiting({"duration": "hours(1)"})
    run_id = runs.start(company.olivia, "waiting", None, None)
    company.answer(run_id)
    assert until(lambda: company.told(run_id)["status"] == "waiting_time")
    found = fetch(
        "select column_name from information_schema.columns where table_schema = 'console' and table_name = 'run'"
    )
    same = ", ".join(sorted({name for (name,) in found} - {"id", "status", "waiting"}))
    for status, waits in (
        ("waiting_event", {"for": "event"}),
        ("waiting_time", {"for": "time", "until": "2999-01-01T00:00:00.000000Z"}),
    ):
        fetch(
            f"insert into console.run ({same}, id, status, waiting)"
            f" select {same}, id || '-' || %s || n, %s, %s from console.run, generate_series(1, 3000) n where id = %s returning 1",
            (status, status, Jsonb(waits), run_id),
        )
    with transaction() as connection:
        connection.exec_driver_sql("analyze console.run")  # as autovacuum does after so many new rows
    for statement, values in (
        (sweep._STUCK, (sweep.STUCK_S, sweep.AT_ONCE)),
        (sweep._DUE, {"moved": timedelta(), "most": sweep.AT_ONCE}),
        (sweep._UNDER_WAY, (sweep.LEAST_STEP_S, sweep.AT_ONCE)),
        (sweep._FOR_SOURCE, (sweep.AT_ONCE,)),
        (beginning._AT_WORK, ("waiting", 10)),
    ):
        with transaction() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            driver.execute(statement, values)
            read = "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where schemaname = 'console' and relname = 'run'"
            assert driver.execute(read).fetchall() == [(0,)], statement
