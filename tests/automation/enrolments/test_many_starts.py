"""Many who wait in a workflow begin at once: each once, judged as if alone, with their first steps, and no more at work than the workflow allows."""

import os

import pytest
from click.testing import CliRunner

from console import log, runs, workflows
from console.auth.access import EVERY_RUN
from console.authoring import diagrams
from console.automation import enrolments
from console.automation.enrolments import Question
from console.commands.verify import verify
from console.core.errors import Conflict, ConsoleError, Invalid, NotFound
from console.core.run.origin import RecordRef, StartedBy
from console.infra import jobs
from console.infra.db import engine
from console.infra.db.engine import fetch, place_among
from console.operations import status
from console.runs import WantedStart
from console.runs.engine import advancing
from console.runs.store.run_store import load
from tests.company import Company
from tests.jobs import taken, wait_until_free, work_until_idle
from tests.runs.engine.test_hands_off import document, robot
from tests.support.engine import step, whole

BY = StartedBy("by_hand", "enrolment")
START = {"fields": [{"name": "level", "label": "Level", "type": "text", "required": True}]}
RESTING = [
    step("start", "start", "rate") | {"config": START},
    step("rate", "output", "rest", {"values": {"level": "input.level", "name": "record.display_name"}}),
    step("rest", "wait", "end", {"days": 2}),
    step("end", "end", None),
]
FAILING = [
    step("start", "start", "rest"),
    step("rest", "wait", "end", {"until": "record.display_name"}),
    step("end", "end", None),
]
"""A step that fails, so that a worker has to do it."""


def wanted(key: str, record: str | None = None, level: str | None = "low") -> WantedStart:
    return WantedStart(key, BY, RecordRef("customer", record or key), {"level": level} if level else {})


def started(*each: WantedStart, places: int = 10) -> list[str | ConsoleError]:
    return runs.start_many_hands_off("nightly-check", each, places=places)


def runs_there() -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in fetch(f"select r.id, r.status from {EVERY_RUN.sql()} order by r.id")]


def live_runs() -> list[str]:
    """Those that rest, and those whose first steps a worker still does, as on a machine with much to do."""
    return sorted(run_id for run_id, state in runs_there() if state in ("running", "waiting_time"))


def test_those_who_wait_begin_and_go_on_in_a_worker(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advancing, "AT_ONCE_S", 60.0)  # a busy machine would commit each step apart
    robot()
    workflows.import_file(document(RESTING), publish=True)
    enrolments.batches.begin(
        company.mona, "nightly-check", Question(keys=["1", "2", "3"], values={"level": "low"})
    )
    work_until_idle({jobs.BEGIN, jobs.ADVANCE_HANDS_OFF})
    begun = runs_there()
    assert [status for _, status in begun] == ["waiting_time"] * 3
    for run_id, _ in begun:
        whole(run_id)
        kinds = [event.type for event in log.events_of(run_id)]
        assert kinds == ["run_started", "step_completed", "step_entered", "step_completed", "timer_set"]
        assert list(runs.rebuild(run_id, check=True)) == []
        assert [
            diagrams.path(company.mona, run_id, at).replay.run.json["current"]["step"] for at in (2, 4, 5)
        ] == ["start", "rate", "rest"]
        told = company.told(run_id, "mona")
        assert (told["context"]["rate"], told["current"]["step"]) == (
            {
                "level": "low",
                "name": company.sql("select display_name from customer where id = ?", told["record"])[0][0],
            },
            "rest",
        )
    verified = CliRunner().invoke(verify, [])
    assert (verified.exit_code, verified.output.startswith("verified ")) == (0, True), verified.output
    enrolments.counts.follow()
    assert enrolments.counts_for(company.mona, enrolments.find("nightly-check").id, "customer").steps == {
        "rest": 3
    }
    assert list(enrolments.counts.rebuild(check=True)) == []


def test_each_is_told_what_it_would_be_told_alone(company: Company) -> None:
    robot()
    workflows.import_file(document(RESTING, settings={"exclusive": True}), publish=True)
    live = runs.start_hands_off(
        "nightly-check", by=BY, record=RecordRef("customer", "2"), values={"level": "low"}, key="other"
    )
    before = started(wanted("4"))[0]
    found = started(
        wanted("1"), wanted("2"), wanted("3", level=None), wanted("99"), wanted("4"), wanted("x", record="01")
    )
    assert [type(each) for each in found] == [str, Conflict, Invalid, NotFound, str, NotFound]
    codes = [getattr(each, "code", None) for each in found]
    assert codes == [None, "run_is_live", "invalid", "not_found", None, "not_found"]
    assert found[4] == before, "its key is the same"
    assert {run_id for run_id, _ in runs_there()} == {live, before, found[0]}


def test_two_on_one_record_where_one_may_be_live_begin_one_by_one(company: Company) -> None:
    robot()
    workflows.import_file(document(RESTING, settings={"exclusive": True}), publish=True)
    found = started(wanted("a", "1"), wanted("b", "1"), wanted("c", "2"))
    assert [type(each) for each in found] == [str, Conflict, str]
    assert len(runs_there()) == 2
    for run_id, _ in runs_there():
        whole(run_id)


@pytest.mark.slow
def test_no_more_go_on_than_there_are_places(company: Company) -> None:
    robot()
    workflows.import_file(document(FAILING, settings={"parallel": 2}), publish=True)
    enrolments.batches.begin(company.mona, "nightly-check", Question(keys=["1", "2", "3"]))
    with pytest.raises(jobs.PutBack):
        work_until_idle({jobs.BEGIN})
    assert [status for _, status in runs_there()] == ["running"] * 2, (
        "the third waits until one of them is through"
    )
    assert len(taken({jobs.ADVANCE_HANDS_OFF})) == 2
    workflows.import_file(document(RESTING, settings={"parallel": 1}), publish=True)
    with place_among(f"workflow:{enrolments.find('nightly-check').id}", 1):
        [other] = started(wanted("4"))
    assert load(str(other)).run.status == "running", "its steps wait until the one place is free"  # type: ignore[union-attr]


@pytest.mark.slow
def test_no_more_begin_within_a_minute_than_may(company: Company) -> None:
    robot()
    workflows.import_file(document(RESTING, settings={"per_minute": 2}), publish=True)
    enrolments.batches.begin(
        company.mona, "nightly-check", Question(keys=["1", "2", "3"], values={"level": "low"})
    )
    with pytest.raises(jobs.PutBack):
        work_until_idle({jobs.BEGIN})
    assert len(runs_there()) == 2


def begun_in_a_child(workflow: str, fault: str) -> int:
    """0 when those who wait have begun, else the signal that ended the process that did it."""
    child = os.fork()
    if child == 0:
        ending = 1
        try:
            engine.hot_engine().dispose(close=False)  # the parent's connections are its own
            engine.engine().dispose(close=False)
            os.environ["HANDRAIL_FAULT"] = fault
            enrolments.begin(workflow)
            ending = 0
        finally:
            os._exit(ending)
    ending = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    wait_until_free(f"begin|{workflow}")
    return ending


@pytest.mark.slow
def test_killed_at_every_point_each_begins_once_and_whole(company: Company) -> None:
    robot()
    workflows.import_file(document(RESTING), publish=True)
    workflow = enrolments.find("nightly-check").id
    for number in range(1, 20):
        batch = enrolments.batches.begin(
            company.mona, "nightly-check", Question(keys=["1", "2", "3"], values={"level": "low"})
        )
        assert batch.enrolled == 3
        ending = begun_in_a_child(workflow, f"*=kill@{number}")
        assert len(live_runs()) in (0, 3), "all of them or none"
        enrolments.begin(workflow)
        leads = fetch("select id, run from console.enrolment where left_at is null")
        assert (sorted(run for _, run in leads), len(leads)) == (live_runs(), 3), (
            "each has one run, and there is no other"
        )
        for lead, run_id in leads:
            whole(run_id)
            enrolments.unenrol(company.mona, "nightly-check", lead, "Next.")
        if ending == 0:
            break
    assert ending == 0
    assert number > 4


def test_a_few_are_enrolled_by_a_worker_where_everything_is_paused(company: Company) -> None:
    robot()
    workflows.import_file(document(RESTING), publish=True)
    status.pause(company.ines, "Moving house.")
    asked = enrolments.batches.begin(
        company.mona, "nightly-check", Question(keys=["1"], values={"level": "low"})
    )
    assert (asked.status, asked.enrolled) == ("running", 0)
    status.resume(company.ines, "We have moved.")
    work_until_idle({jobs.ENROL})
    assert enrolments.batches.get(company.mona, asked.id).enrolled == 1
