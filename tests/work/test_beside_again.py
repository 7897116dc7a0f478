"""Tasks, notices and requests for documents are made once, however often a run comes to their step again; the preview names them, and a task can be closed."""

from typing import Any

import pytest

from console import runs
from console.core.errors import Conflict
from console.infra.db.engine import fetch
from tests.company import Company
from tests.support.engine import kinds, publish, step, whole


def form(name: str) -> dict[str, Any]:
    return {"form": [{"name": name, "label": "Whom", "type": "text", "required": True}]}


MAKING: dict[str, tuple[dict[str, Any], str]] = {
    "task": (
        step(
            "make", "create_task", "after", {"title": "Call Ms {{ steps.whom.name }}", "team": "operations"}
        ),
        "task_created",
    ),
    "waiting task": (
        {
            **step(
                "make",
                "create_task",
                "after",
                {"title": "Call Ms {{ steps.whom.name }}", "team": "operations", "waits": True},
            ),
            "next": {"done": "after", "not_done": "after"},
        },
        "task_created",
    ),
    "notice": (
        step("make", "notify", "after", {"text": "About Ms {{ steps.whom.name }}", "team": "operations"}),
        "notice_sent",
    ),
    "documents": (
        {
            **step(
                "make",
                "request_documents",
                "after",
                {
                    "documents": [{"id": "paper", "label": "Paper of Ms {{ steps.whom.name }}"}],
                    "to": '"x@customers.example"',
                    "text": "Please.",
                },
            ),
            "next": {"received": "after", "expired": "after"},
        },
        "event_awaited",
    ),
}


def at_after(company: Company, what: str, name: str = "X") -> str:
    steps = [
        step("start", "start", "whom"),
        step("whom", "update_data", "make", form("name")),
        MAKING[what][0],
        step("after", "guidance", "end", {"text": "Done."}),
        step("end", "end", None),
    ]
    publish("making", steps, "customer")
    run_id = runs.start(company.olivia, "making", "customer", "1")
    company.answer(run_id, name=name)
    return run_id


def again(company: Company, run_id: str, name: str = "X", **more: Any) -> None:
    runs.revise(company.olivia, run_id, revision=None, step="whom", attempt=None, reason="Again.", **more)
    company.answer(run_id, name=name)


def open_tasks() -> list[str]:
    return [row[0] for row in fetch("select status from console.task order by created_at, id")]


@pytest.mark.parametrize("what", MAKING)
def test_the_same_is_made_once(company: Company, what: str) -> None:
    run_id = at_after(company, what)
    before = company.told(run_id)
    for _ in range(3):
        again(company, run_id)
        told = company.told(run_id)
        assert (told["status"], told["current"]["step"]) == (before["status"], before["current"]["step"])
    assert kinds(run_id).count(MAKING[what][1]) == (1 if MAKING[what][1] != "event_awaited" else 4)
    notices = fetch(
        "select count(*) from console.notice where kind in ('notice_sent', 'task_created') and run = %s",
        (run_id,),
    )[0][0]
    assert notices == (len(people_told(company)) if what == "notice" else 0)
    assert open_tasks() == (["open"] if "task" in what else [])
    waits = {row[0] for row in fetch("select waiting ->> 'key' from console.run where id = %s", (run_id,))}
    if what == "documents":
        assert len(waits) == 1
    assert kinds(run_id).count("effect_kept") == 3
    whole(run_id)


def people_told(company: Company) -> set[str]:
    return {row[0] for row in fetch("select person from console.notice where kind = 'notice_sent'")}


def test_the_preview_names_the_task_and_closes_it_where_that_is_wished(company: Company) -> None:
    run_id = at_after(company, "task")
    (done,) = runs.preview(company.olivia, run_id, "whom").json["effects_done"]
    assert (done["kind"], done["summary"], done["compensation"]) == (
        "task",
        "Task “Call Ms X” was made",
        {"action": "task.close", "label": "Close the task", "ticked": False},
    )
    again(company, run_id, compensate=[done["id"]])
    assert open_tasks() == ["not_done", "open"], "closed, and made anew"
    assert company.told(run_id)["current"]["step"] == "after"
    whole(run_id)


def test_another_task_is_made_only_when_a_person_says_what_becomes_of_the_first(company: Company) -> None:
    run_id = at_after(company, "task")
    again(company, run_id, "Y")
    told = company.told(run_id)
    assert (told["current"]["step"], told["current"]["take_over"]["code"], open_tasks()) == (
        "make",
        "already_done",
        ["open"],
    )
    with pytest.raises(Conflict) as asked:
        runs.complete(company.olivia, run_id, runs.Submission(step="make", revision=None, values={}))
    assert [each["value"] for each in asked.value.details] == ["again", "compensate"]
    assert "Call Ms X" in asked.value.message
    runs.complete(
        company.olivia, run_id, runs.Submission(step="make", revision=None, values={}, repeat="compensate")
    )
    assert (open_tasks(), company.told(run_id)["current"]["step"]) == (["not_done", "open"], "after")
    again(company, run_id, "Z")
    runs.complete(
        company.olivia,
        run_id,
        runs.Submission(step="make", revision=None, values={}, repeat="again", reason="Both are needed."),
    )
    assert (open_tasks(), company.told(run_id)["current"]["step"]) == (["not_done", "open", "open"], "after")
    again(company, run_id, "Q")
    runs.complete(
        company.olivia, run_id, runs.Submission(step="make", revision=None, values={}, handled_manually=True)
    )
    assert (len(open_tasks()), company.told(run_id)["current"]["step"]) == (3, "after")
    whole(run_id)
