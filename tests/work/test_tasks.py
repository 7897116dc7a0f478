"""Tasks beside a run: for a person or a team, with or without the run waiting; closed once, by whom it concerns."""

from typing import Any

import pytest

from console import log, runs, workflows
from console.core.errors import Conflict, Invalid, NotFound
from console.infra.db.engine import fetch
from console.work import notices, tasks
from tests.company import Company
from tests.support.engine import kinds, step, whole

TASK: dict[str, Any] = {
    "title": "Look at {{ record.display_name }}",
    "assignee": "'mona@fernwick.example'",
    "due": "addDays(today(), 14)",
    "text": "**Today**",
}


def begin(company: Company, config: dict[str, Any] | None = None, slug: str = "with-task") -> str:
    made = {**TASK, **(config or {})}
    waits = made.get("waits")
    steps = [
        step("start", "start", "ask"),
        {
            "id": "ask",
            "type": "create_task",
            "title": "Ask",
            "config": made,
            "next": {"done": "fine", "not_done": "sorry"} if waits else {"default": "fine"},
        },
        step("fine", "guidance", "end", {"text": "Fine"}),
        *([step("sorry", "guidance", "end", {"text": "{{ steps.ask.note }}"})] if waits else []),
        step("end", "end", None),
    ]
    document = {
        "format": 1,
        "slug": slug,
        "title": "With a task",
        "collection": "customer",
        "team": "operations",
        "steps": steps,
    }
    workflows.import_file(document, publish=True)
    return runs.start(company.olivia, slug, "customer", "1", {})


def test_the_run_goes_on_and_the_task_stands_with_whom_it_is_for(company: Company) -> None:
    run_id = begin(company)
    assert company.told(run_id)["current"]["step"] == "fine"
    (task,) = tasks.tasks_of(company.mona)
    assert (task.title, task.text, task.about, task.waits) == (
        "Look at Adaeze Okonkwo-Bell",
        "**Today**",
        "With a task, Adaeze Okonkwo-Bell",
        False,
    )
    assert task.due_on is not None
    assert [notice.text for notice in notices.notices_of(company.mona)] == [
        "A task for you, “Look at Adaeze Okonkwo-Bell”"
    ]
    tasks.close(company.mona, task.id, "done")
    assert [notice.text for notice in notices.notices_of(company.mona)] == [
        "A task for you, “Look at Adaeze Okonkwo-Bell”: you closed it"
    ]
    assert (tasks.tasks_of(company.mona), [one.status for one in tasks.closed(company.mona)]) == (
        [],
        ["done"],
    )
    assert kinds(run_id).count("task_created") == 1
    whole(run_id)


def test_a_run_that_waits_goes_on_with_what_came_of_it(company: Company) -> None:
    run_id = begin(company, {"waits": True})
    told = company.told(run_id)
    assert (told["status"], told["current"]["waiting"]["for"]) == ("waiting_event", "task")
    (task,) = tasks.tasks_of(company.mona)
    for result, note in [("gone", ""), ("not_done", " "), ("done", "x" * 2001), ("done", "\x00")]:
        with pytest.raises(Invalid):
            tasks.close(company.mona, task.id, result, note)
    tasks.close(company.mona, task.id, "not_done", "No answer")
    told = company.told(run_id)
    assert told["current"]["step"] == "sorry"
    assert told["context"]["ask"] == {
        "title": task.title,
        "due": str(task.due_on),
        "result": "not_done",
        "note": "No answer",
        "closed_by": company.mona.id,
    }
    with pytest.raises(Conflict):
        tasks.close(company.mona, task.id, "done", "Too late")
    assert [(closed.title, closed.note) for closed in tasks.closed(company.mona)] == [
        (task.title, "No answer")
    ]
    whole(run_id)


def test_what_a_killed_process_left_is_gone_on_with(company: Company) -> None:
    run_id = begin(company, {"waits": True})
    (task,) = tasks.tasks_of(company.mona)
    fetch(
        "update console.task set status = 'done', closed_at = now() - interval '1 minute', closed_by = %s where id = %s returning 1",
        (company.mona.id, task.id),
    )
    [(subject, nonce, ct)] = fetch("select subject, nonce, ct from console.task where id = %s", (task.id,))
    kept = tasks._with_note(task.id, subject, nonce, ct, "All well")
    fetch(
        "update console.task set nonce = %s, ct = %s where id = %s returning 1",
        (kept["nonce"], kept["ct"], task.id),
    )
    assert (tasks.pick_up(), tasks.pick_up()) == (1, 0)
    assert company.told(run_id)["current"]["step"] == "fine"
    assert company.told(run_id)["context"]["ask"]["note"] == "All well"


def test_a_task_of_a_team_is_everybodys_who_may_see_the_run(company: Company) -> None:
    begin(company, {"assignee": None, "team": "operations"})
    assert [len(tasks.of_teams(who)) for who in (company.mona, company.tom, company.stan, company.ada)] == [
        1,
        1,
        0,
        0,
    ]
    (task,) = tasks.of_teams(company.tom)
    company.sql("update customer set desk = 'corporate' where id = 1")
    assert tasks.of_teams(company.tom) == []
    with pytest.raises(NotFound):
        tasks.close(company.tom, task.id, "done")
    for who in (company.stan, company.ada):
        with pytest.raises(NotFound):
            tasks.close(who, task.id, "done")
    for ident in ("tsk_nowhere", "", "\x00"):
        with pytest.raises(NotFound):
            tasks.close(company.mona, ident, "done")
    tasks.close(company.mona, task.id, "done")


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"assignee": "'stan@fernwick.example'"}, "no_such_person"),
        ({"assignee": "'nobody@x.example'"}, "no_such_person"),
        ({"due": "'tomorrow'"}, "no_day"),
    ],
)
def test_a_task_for_nobody_or_no_day_asks_a_person(
    company: Company, config: dict[str, Any], code: str
) -> None:
    run_id = begin(company, config)
    told = company.told(run_id)
    assert (told["current"]["step"], told["current"]["take_over"]["code"]) == ("ask", code)
    assert tasks.tasks_of(company.people["stan"]) == []
    runs.complete(company.olivia, run_id, runs.Submission(step="ask", revision=told["revision"], values={}))
    assert company.told(run_id)["current"]["step"] == "fine"


def test_the_log_says_who_closed_what(company: Company) -> None:
    begin(company)
    (task,) = tasks.tasks_of(company.mona)
    tasks.close(company.mona, task.id, "not_done", "Not needed")
    (event,) = [event for event in log.events_of(company.mona.session) if event.type == "task_closed"]
    assert event.open == {"task": task.id, "result": "not_done"}


def test_no_task_of_a_long_list_of_work_lacks_its_title(company: Company) -> None:
    begin(company)
    assert tasks.tasks_of(company.mona)
    copied = "run, n, run_team, team, assignee, status, waits, due_on, created_at, subject, kid, nonce, ct"
    ids = fetch(
        f"insert into console.task (id, {copied}) select 'tsk_' || i, {copied} from console.task, generate_series(1, %s) i returning id",
        (tasks.SHOWN + 1,),
    )
    assert len(tasks.titles_of(company.mona, [each for (each,) in ids])) == tasks.SHOWN + 1
