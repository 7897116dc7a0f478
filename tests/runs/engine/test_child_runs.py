"""Runs that a step of another run starts: joined by all or any, ended with their parent, and found again whatever crashed in between."""

import contextlib
from typing import Any

import pytest

from console import monitoring, runs, workflows
from console.activity import sequencing
from console.auth import accounts
from console.core.errors import Conflict, Invalid, NotFound
from console.core.run.origin import RecordRef, StartedBy
from console.infra import faults, jobs
from console.infra.db.engine import fetch
from console.monitoring import alerts, incidents
from console.runs.store.run_store import load
from console.views.runs import wait_words
from console.workflows import Known
from tests.company import Company
from tests.runs.commands.test_midway import failing
from tests.support.engine import overdue, step, whole

pytestmark = pytest.mark.slow

ROBOT = "robot@fernwick.test"


def publish(
    slug: str, steps: list[dict[str, Any]], collection: str | None = "customer", **settings: Any
) -> None:
    if ROBOT not in accounts.service_accounts():
        accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    head = {
        "format": 1,
        "slug": slug,
        "title": slug.title(),
        "team": "operations",
        "collection": collection,
        "run_as": ROBOT,
    }
    workflows.import_file(head | {"settings": {"on_error": "fail", **settings}, "steps": steps}, publish=True)


def begin(slug: str, record: str | None = "1", **values: Any) -> str:
    ref = RecordRef("customer", record) if record else None
    return runs.start_hands_off(
        slug, by=StartedBy("nightly", "schedule"), record=ref, values=values, key=f"{slug}:{record}"
    )


def branching(until: str = "all", left: dict[str, Any] | None = None, **settings: Any) -> None:
    """Two branches: the left one says the name, the right one waits an hour and says the desk."""
    steps = [
        step("start", "start", "both"),
        step(
            "both",
            "parallel",
            "join",
            {
                "branches": [{"id": "left", "start": "name"}, {"id": "right", "start": "pause"}],
                "until": until,
            },
        ),
        left or step("name", "output", "join", {"values": {"name": "record.display_name"}}),
        step("pause", "wait", "desk", {"duration": "hours(1)"}),
        step("desk", "output", "join", {"values": {"desk": "record.desk"}}),
        step(
            "join",
            "output",
            "end",
            {"values": {"name": "steps.both.left.name.name", "desk": "steps.both.right.desk.desk"}},
        ),
        step("end", "end", None),
    ]
    publish("branching", steps, **settings)


def children(run_id: str) -> dict[str, runs.ChildRun]:
    return {child.branch: child for child in runs.children_of(run_id)}


def run_of(run_id: str) -> Any:
    loaded = load(run_id)
    assert loaded is not None
    return loaded.run


def test_branches_are_runs_of_their_own_and_the_join_finds_what_they_left(company: Company) -> None:
    branching()
    run_id = begin("branching")
    company.work()
    parent = run_of(run_id)
    assert (parent.status, parent.waiting["for"]) == ("waiting_event", "run")
    made = children(run_id)
    assert {branch: child.status for branch, child in made.items()} == {
        "left": "completed",
        "right": "waiting_time",
    }
    right = company.told(made["right"].id, "mona")
    assert (right["parent"], right["holder"], right["mode"]) == (
        {"run": run_id, "branch": "right"},
        None,
        "hands_off",
    )
    overdue(made["right"].id)
    company.work()
    told = company.told(run_id, "mona")
    assert (told["status"], told["context"]["join"]) == (
        "completed",
        {"name": "Adaeze Okonkwo-Bell", "desk": "retail"},
    )
    for each in (run_id, *(child.id for child in made.values())):
        whole(each)
        assert list(runs.rebuild(each, check=True)) == []


def test_the_first_is_enough_and_the_others_are_cancelled(company: Company) -> None:
    branching("any")
    run_id = begin("branching")
    company.work()
    told = company.told(run_id, "mona")
    assert (told["status"], told["context"]["join"]) == (
        "completed",
        {"name": "Adaeze Okonkwo-Bell", "desk": None},
    )
    assert children(run_id)["right"].status == "cancelled"


@pytest.mark.parametrize("on_error", ["ask", "fail"])
def test_a_branch_that_fails_is_an_error_of_the_step(company: Company, on_error: str) -> None:
    nobody = step("name", "sub_workflow", "join", {"workflow": "nowhere"}) | {"title": "Look the name up"}
    branching(left=nobody, on_error="fail" if on_error == "fail" else "ask")
    run_id = begin("branching")
    company.work()
    if on_error == "fail":
        assert (run_of(run_id).status, children(run_id)["right"].status) == ("failed", "cancelled")
        assert run_of(run_id).reason.startswith("The run for “Look the name up” failed: "), (
            "a branch is known by its title"
        )
    else:
        left = children(run_id)["left"]
        assert (run_of(run_id).status, left.status) == (
            "waiting_event",
            "waiting_person",
        )  # a person may still mend it
        runs.resume(company.mona, left.id, revision=None)
        runs.abort(company.mona, left.id, revision=None, reason="no use")
        company.work()
        parent = run_of(run_id)
        assert (parent.status, parent.take_over["code"], parent.ticket["inbox"]) == (
            "waiting_person",
            "child_failed",
            "desk",
        )
        assert children(run_id)["right"].status == "cancelled"


@pytest.mark.parametrize("what", ["cancel", "abort", "handled"])
def test_what_ends_the_wait_of_the_parent_ends_its_children(company: Company, what: str) -> None:
    branching(on_error="ask")
    run_id = begin("branching")
    company.work()
    assert runs.live_parts(run_id) > 0
    match what:
        case "cancel":
            runs.cancel(company.mona, run_id, revision=None, reason="not needed")
        case "abort":
            runs.take_over(company.mona, run_id, revision=None)
            runs.abort(company.mona, run_id, revision=None, reason="not needed")
        case "handled":
            runs.take_over(company.mona, run_id, revision=None)
            runs.step_in(company.mona, run_id, revision=None)
    company.work()
    assert (runs.live_parts(run_id), children(run_id)["right"].status) == (0, "cancelled")
    said = {"cancel": "which was cancelled", "abort": "which was aborted", "handled": "goes on without it"}[
        what
    ]
    assert said in str(children(run_id)["right"].reason)
    assert (
        run_of(run_id).status
        == {"cancel": "cancelled", "abort": "aborted", "handled": "waiting_person"}[what]
    )


def test_another_workflow_is_run_with_inputs_and_finds_outputs(company: Company) -> None:
    asked = [{"name": "factor", "label": "Factor", "type": "integer", "required": True}]
    publish(
        "inner",
        [
            step("start", "start", "sum", {"fields": asked}),
            step(
                "sum",
                "output",
                "end",
                {"values": {"product": "input.factor * 2", "who": "record.display_name"}},
            ),
            step("end", "end", None, {"label": "Reckoned"}),
        ],
    )
    inner = {"workflow": "inner", "record": "'2'", "collection": "customer", "input": {"factor": "20 + 1"}}
    outer = [step("start", "start", "ask"), step("ask", "sub_workflow", "say", inner)]
    publish(
        "outer",
        [
            *outer,
            step("say", "output", "end", {"values": {"found": "steps.ask.product"}}),
            step("end", "end", None),
        ],
    )
    run_id = begin("outer")
    company.work()
    told = company.told(run_id, "mona")
    (child,) = runs.children_of(run_id)
    assert told["context"]["ask"] == {
        "product": 42,
        "who": "Tore Lindqvist",
        "run": child.id,
        "ending": "Reckoned",
    }
    assert (told["status"], told["context"]["say"], run_of(child.id).record) == (
        "completed",
        {"found": 42},
        "2",
    )
    [first, *_] = run_of(child.id).caused_by
    assert (first.run, first.workflow, first.record, first.depth) == (run_id, run_of(run_id).workflow, "1", 1)
    publish(
        "outer",
        [
            step("start", "start", "ask"),
            step("ask", "sub_workflow", "end", {"workflow": "inner"}),
            step("end", "end", None),
        ],
    )
    run_id = begin("outer", "4")
    company.work()
    assert run_of(run_id).status == "failed"
    assert run_of(run_id).reason == "Nothing was saved: please look at Factor."


def test_workflows_that_start_each_other_end_five_deep_and_one_alert_tells_it(company: Company) -> None:
    publish("healing", [step("start", "start", "end"), step("end", "end", None)], collection=None)
    publish(
        "round",
        [
            step("start", "start", "again"),
            step("again", "sub_workflow", "end", {"workflow": "other"}),
            step("end", "end", None),
        ],
    )
    publish(
        "other",
        [
            step("start", "start", "back"),
            step("back", "sub_workflow", "end", {"workflow": "round"}),
            step("end", "end", None),
        ],
    )
    alerts.add(company.mona, known("round"), kind="failed", people=["tom@fernwick.example"], starts="healing")
    alerts.add(company.mona, known("other"), kind="failed", starts="healing")
    run_id = begin("round")
    for _ in range(8):
        company.work()
    assert run_of(run_id).status == "failed"
    assert fetch("select count(*) from console.run")[0][0] == 6
    assert fetch("select count(*) from console.run where ended_at is null")[0][0] == 0
    assert (alerted(), [rule.held for rule in alerts.rules_of(known("round"))]) == ([run_id], [0])


def known(slug: str) -> Known:
    return next(each for each in workflows.all_known() if each.slug == slug)


def alerted() -> list[str]:
    """The failed runs for which *healing* was started, after the log was read."""
    sequencing.catch_up()
    monitoring.read_log()
    alerts.raise_due()
    return [
        row[0]
        for row in fetch(
            "select origin -> 'event' ->> 'run' from console.run where workflow = %s", (known("healing").id,)
        )
    ]


def looping(on_failure: str, **settings: Any) -> None:
    """A loop over 1, 2, 3, 4, of which 3 cannot be done while there is no workflow *nowhere*."""
    choice = step("choice", "condition", "done", {"branches": [{"if": "item.value == 3", "outcome": "odd"}]})
    choice["next"]["odd"] = "odd"
    items = {"entries": "steps.list.all"}
    steps = [
        step("start", "start", "list"),
        step("list", "output", "each", {"values": {"all": "[1, 2, 3, 4]"}}),
        step("each", "loop", "say", {"items": items, "body": "choice", "on_failure": on_failure}),
        choice,
        step("odd", "sub_workflow", "say", {"workflow": "nowhere"}),
        step("done", "output", "say", {"values": {"twice": "item.value * 2"}}),
        step("say", "output", "end", {"values": {"done": "steps.each.done", "of": "steps.each.total"}}),
        step("end", "end", None),
    ]
    publish("looping", steps, **settings)


@pytest.mark.parametrize("on_error", ["ask", "fail"])
def test_an_item_that_fails_is_passed_over_whatever_the_workflow_does_with_errors(
    company: Company, on_error: str
) -> None:
    looping("continue", on_error=on_error)
    run_id = begin("looping")
    company.work()
    told = company.told(run_id, "mona")
    assert (told["status"], told["context"]["say"]) == ("completed", {"done": 3, "of": 4})
    assert {branch: child.status for branch, child in children(run_id).items()} == {
        "1": "completed",
        "2": "completed",
        "3": "failed",
        "4": "completed",
    }
    whole(run_id)


@pytest.mark.parametrize("on_failure", ["stop", "continue"])
def test_the_body_of_a_loop_is_a_run_for_each_item(company: Company, on_failure: str) -> None:
    looping(on_failure)
    publish("healing", [step("start", "start", "end"), step("end", "end", None)], collection=None)
    alerts.add(company.mona, known("looping"), kind="failed", starts="healing")
    run_id = begin("looping")
    company.work()
    told = company.told(run_id, "mona")
    assert alerted() == [run_id if on_failure == "stop" else children(run_id)["3"].id]
    (incident,) = incidents.open_incidents(company.mona)
    part = next(child.id for child in runs.children_of(run_id) if child.status == "failed")
    publish("nowhere", [step("start", "start", "end"), step("end", "end", None)])
    if on_failure == "stop":
        assert (told["status"], incident.newest.id, incident.count) == ("failed", run_id, 1), (
            "what failed in it stands for nothing of its own"
        )
        with pytest.raises(Conflict, match="part of another run"):
            runs.rerun(company.mona, part, origin="failure", version="original")
        return
    with pytest.raises(Invalid, match="has the input of that run"):
        runs.rerun(company.mona, part, origin="start", version="original", given={"note": "another"})
    with pytest.raises(NotFound):
        runs.rerun(company.stan, part, origin="failure", version="original")
    workflow = known("looping")
    done = incidents.retry_all(company.mona, workflow, incident.cause, origin="failure", version="original")
    company.work()
    again = company.told(done.started[part], "mona")
    assert (again["status"], [each["step"] for each in again["attempts"]]) == ("completed", ["choice", "odd"])
    assert fetch("select count(*) from console.run where workflow = %s", (workflow.id,))[0][0] == 6, (
        "the item alone is done again"
    )
    assert list(runs.rebuild(again["id"], check=True)) == []
    assert incidents.open_incidents(company.mona) == []
    assert (told["status"], told["context"]["say"]) == ("completed", {"done": 3, "of": 4})
    assert [(row["key"], row["status"]) for row in told["context"]["each"]["items"]] == [
        ("1", "completed"),
        ("2", "completed"),
        ("3", "failed"),
        ("4", "completed"),
    ]
    assert told["context"]["each"]["items"][1]["done"] == {"twice": 4}


def test_a_sub_workflow_that_is_alone_on_its_record_keeps_others_out_and_is_kept_out(
    company: Company,
) -> None:
    publish(
        "inner",
        [
            step("start", "start", "rest"),
            step("rest", "wait", "end", {"duration": "hours(1)"}),
            step("end", "end", None),
        ],
    )
    publish(
        "outer",
        [
            step("start", "start", "ask"),
            step("ask", "sub_workflow", "end", {"workflow": "inner", "alone": True}),
            step("end", "end", None),
        ],
    )
    first = begin("outer")
    company.work()
    [inner] = runs.children_of(first)
    assert inner.status == "waiting_time"
    awaited = [
        wait_words.awaited_run(each, runs.get(company.mona, first).json)
        for each in (company.mona, company.stan)
    ]
    assert [head and head.id for head in awaited] == [inner.id, None], (
        "the page of the first leads whoever may see it there"
    )
    with pytest.raises(Conflict, match="already ongoing"):
        begin("inner")
    second = begin("outer", "2")
    begin("inner", "3")
    third = begin("outer", "3")
    company.work()
    assert [child.status for child in runs.children_of(second)] == ["waiting_time"]
    assert (run_of(third).status, runs.children_of(third)) == ("failed", [])


@pytest.mark.parametrize("last", range(1, 9))
@pytest.mark.parametrize("point", ["log.write.before", "log.write.after"])
def test_a_process_that_dies_at_any_write_loses_and_doubles_nothing(
    company: Company, point: str, last: int
) -> None:
    branching("any")
    run_id = begin("branching")
    with failing(f"{point}=raise@{last}"), contextlib.suppress(faults.Fault):
        company.work()
    jobs.enqueue_all(
        [jobs.tend(each, f"again:{each}") for (each,) in fetch("select id from console.run")]
    )  # a job that broke off comes again
    for _ in range(4):
        fetch(
            "update console.run set active_at = active_at - interval '1 minute' where ended_at is null returning 1"
        )
        runs.pick_up()
        company.work()
    assert run_of(run_id).status == "completed"
    made = dict(fetch("select branch, count(*) from console.run where parent is not null group by 1"))
    assert made["left"] == 1
    assert made.get("right", 0) <= 1
    assert fetch("select count(*) from console.run where ended_at is null")[0][0] == 0
    whole(run_id)
