"""Moving live runs that are in the middle of a list, of branches, or that another run started: what goes on, what stays and why."""

from typing import Any

from console import runs, workflows
from console.authoring import publication
from console.core import drafting
from tests.company import Company
from tests.runs.commands.test_loop import begin as begin_list, hand_in, states
from tests.runs.engine.test_child_runs import begin, branching, children, publish, run_of
from tests.support.engine import overdue, step

LIST = "check-list"
PARENT_WAITS = "It waits for an answer from outside: move it when that is done."
CHILD_STAYS = "Another run started it and waits for it: it ends with its own version."


def published(company: Company, slug: str, *changes: dict[str, Any]) -> None:
    """The next version of the workflow."""
    revision = workflows.open_draft(company.mona, slug).revision
    workflows.edit(company.mona, slug, revision, drafting.read_changes(list(changes)))
    workflows.publish_draft(company.mona, slug, note="Next")


def moved(company: Company, slug: str, **steps: str) -> tuple[int, dict[str, int]]:
    """How many were moved, and why the others were not."""
    plan = publication.plan_move(company.mona, slug, 1, 2, steps)
    if not plan.movable:
        return 0, dict(plan.stuck)
    return publication.move_runs(company.mona, slug, 1, 2, steps=steps, reason="Mended").moved, dict(
        plan.stuck
    )


def test_a_run_in_the_middle_of_a_list_goes_on_at_the_same_item(company: Company) -> None:
    run_id = begin_list(company)
    hand_in(company, run_id, verdict="good")
    published(company, LIST, {"op": "set", "step": "check", "field": "title", "value": "Check every one"})
    assert moved(company, LIST) == (1, {})
    told = company.told(run_id)
    assert (told["version"], told["current"]["title"]) == (2, "Check every one")
    assert states(told) == [("8", "done"), ("9", "todo")]
    assert hand_in(company, run_id, verdict="bad")["context"]["check"]["rejected"] == ["LT459999900012345679"]
    assert list(runs.rebuild(run_id, check=True)) == []


def test_a_list_that_is_gone_keeps_the_runs_that_have_done_an_item(company: Company) -> None:
    begun = begin_list(company)
    company.sql("insert into account values ('LT1', 3, 'open')")
    fresh = runs.start(company.olivia, LIST, "customer", "3", {})
    hand_in(company, begun, verdict="good")
    gone = [{"op": "remove_step", "step": name, "heal": True} for name in ("again", "sorry", "check")]
    published(
        company,
        LIST,
        *gone,
        {"op": "connect", "step": "start", "to": "fine"},
        {"op": "set", "step": "fine", "field": "config.text", "value": "Done"},
    )
    told = "It has been through “Check each”, which is not there in that version, or leaves other values."
    assert moved(company, LIST)[0] == 0, "nobody has said where the other one goes on"
    assert moved(company, LIST, check="fine") == (1, {told: 1})
    assert company.told(begun)["version"] == 1
    assert company.told(fresh)["current"]["step"] == "fine"


def test_branches_and_who_waits_for_them_stay_until_they_are_done(company: Company) -> None:
    branching()
    run_id = begin("branching")
    company.work()
    right = children(run_id)["right"]
    published(company, "branching", {"op": "set", "step": "desk", "field": "title", "value": "The desk"})
    assert moved(company, "branching") == (0, {PARENT_WAITS: 1, CHILD_STAYS: 1})
    overdue(right.id)
    company.work()
    assert (run_of(run_id).status, run_of(run_id).version, run_of(right.id).version) == ("completed", 1, 1)


def test_a_run_that_another_workflow_started_stays(company: Company) -> None:
    publish(
        "below",
        [
            step("start", "start", "pause"),
            step("pause", "wait", "end", {"duration": "hours(1)"}),
            step("end", "end", None),
        ],
    )
    publish(
        "above",
        [
            step("start", "start", "other"),
            step("other", "sub_workflow", "end", {"workflow": "below"}),
            step("end", "end", None),
        ],
    )
    run_id = begin("above")
    company.work()
    [child] = runs.children_of(run_id)
    published(company, "below", {"op": "set", "step": "pause", "field": "title", "value": "Wait"})
    assert moved(company, "below") == (0, {CHILD_STAYS: 1})
    overdue(child.id)
    company.work()
    assert run_of(run_id).status == "completed"


def test_items_that_are_gone_through_by_themselves_stay(company: Company) -> None:
    steps = [
        step("start", "start", "each"),
        step(
            "each",
            "loop",
            "end",
            {"items": {"relation": "account", "fields": ["iban"]}, "body": "pause", "on_failure": "continue"},
        ),
        step("pause", "wait", "say", {"duration": "hours(1)"}),
        step("say", "output", "over", {"values": {"iban": "item.iban"}}),
        step("over", "end", None),
        step("end", "end", None),
    ]
    publish("each-one", steps)
    run_id = begin("each-one")
    company.work()
    published(company, "each-one", {"op": "set", "step": "pause", "field": "title", "value": "Wait"})
    count, stuck = moved(company, "each-one")
    assert (count, set(stuck) <= {PARENT_WAITS, CHILD_STAYS}) == (0, True)
    for _ in range(3):
        for child in runs.children_of(run_id):
            overdue(child.id)
        company.work()
    assert (run_of(run_id).status, run_of(run_id).version) == ("completed", 1)
