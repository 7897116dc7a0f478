"""Steps on one screen: completed together, each with its own attempt, values and event."""

from copy import deepcopy
from typing import Any

import pytest

from console import log, runs, steps, workflows
from console.core.documents import workflow_check
from console.core.documents.workflow import Workflow
from console.core.errors import Conflict, Invalid, NotAllowed
from console.work import approvals
from tests.company import DOCUMENT, Company
from tests.support.engine import whole
from tests.support.four_eyes import bank, publish, step as step_of, waiting_for
from tests.support.paying import PAY, paying, providing

__all__ = ["bank"]

GROUP: dict[str, Any] = {"title": "Judgement", "steps": ["note", "score", "rate", "decide"], "screen": "one"}
SCORE: dict[str, Any] = {
    "id": "score",
    "type": "update_data",
    "title": "Score",
    "config": {
        "text": "Noted: {{ steps.note.note }}",
        "form": [
            {
                "name": "points",
                "label": "Points",
                "type": "integer",
                "readonly": True,
                "value": "steps.note.count * 2",
            },
            {"name": "why", "label": "Why", "type": "text", "required": True},
        ],
    },
    "next": {"default": "rate"},
}
ANSWERS: dict[str, dict[str, Any]] = {
    "note": {"note": "Fine.", "count": 3},
    "score": {"why": "Twice."},
    "rate": {"risk": "high"},
    "decide": {},
}


def document(group: dict[str, Any] | None = None) -> dict[str, Any]:
    """The workflow of the company with a score, all judged on one screen."""
    made = deepcopy(DOCUMENT)
    by_id = {step["id"]: step for step in made["steps"]}
    by_id["note"]["next"] = {"default": "score"}
    by_id["rate"]["next"] = {"default": "decide"}
    made["steps"] = [step for step in made["steps"] if step["id"] != "is_high"]
    made["steps"].insert(made["steps"].index(by_id["rate"]), deepcopy(SCORE))
    return made | {"slug": "gathered", "title": "Gathered", "groups": [group or GROUP]}


@pytest.fixture
def run_id(company: Company) -> str:
    """A run that stands at the first step of the screen."""
    workflows.import_file(document(), publish=True)
    started = runs.start(company.olivia, "gathered", "customer", "1", {"why": "periodic"})
    company.answer(started)
    return started


def submitted(company: Company, run_id: str, **changed: Any) -> runs.RunView:
    """Hand in the whole screen; `changed` are answers by step."""
    answers = {**ANSWERS, **changed}
    first, *later = (
        runs.Submission(step, None, answers[step], "approve" if step == "decide" else None)
        for step in GROUP["steps"]
    )
    return runs.complete_and_look(company.olivia, run_id, first, later)


def test_all_steps_are_completed_each_with_its_own_values_and_events(company: Company, run_id: str) -> None:
    assert company.told(run_id)["current"]["step"] == "note"
    view = submitted(company, run_id)
    assert view.json["status"] == "completed"
    done = {each["step"]: each for each in view.json["attempts"]}
    assert done["note"]["values"] == {"note": "Fine.", "count": 3}
    assert done["score"]["values"]["points"] == 6
    assert [done[step]["by"] for step in GROUP["steps"]] == [company.olivia.id] * 4
    assert company.sql("select risk from customer where id = 1") == [("high",)]
    events = log.events_of(run_id)
    assert [event.n for event in events] == list(range(1, len(events) + 1))
    shown = [event.body["step"]["id"] for event in events if event.type == "step_shown"]
    assert [shown.count(step) >= 1 for step in GROUP["steps"]] == [True] * 4
    replayed = {frame["step"] for frame in (run["current"] for run in _states(company, run_id)) if frame}
    assert set(GROUP["steps"]) <= replayed


def _states(company: Company, run_id: str) -> list[dict[str, Any]]:
    last = runs.get(company.olivia, run_id).json["last_event"]
    return [runs.replay(company.rosa, run_id, at).run.json for at in range(1, last + 1)]


def test_later_screens_follow_what_is_typed_above_them(company: Company, run_id: str) -> None:
    drawn = runs.later_screens(company.olivia, run_id, {"note": "So.", "count": 5, "rate/risk": "low"})
    assert [screen["step"] for screen in drawn] == ["score", "rate", "decide"]
    score = drawn[0]
    assert score["text"] == "Noted: So."
    assert {field["name"]: field["value"] for field in score["fields"]}["points"] == 10
    assert [screen["step"] for screen in runs.later_screens(company.olivia, run_id, {})] == [
        "score",
        "rate",
        "decide",
    ]


def test_nothing_is_completed_where_one_of_them_is_wrong(company: Company, run_id: str) -> None:
    before = company.told(run_id)
    for step, wrong, field in (
        ("score", {}, "why"),
        ("rate", {"risk": "enormous"}, "risk"),
        ("note", {"count": 1}, "note"),
    ):
        with pytest.raises(Invalid) as refused:
            submitted(company, run_id, **{step: wrong})
        (detail,) = refused.value.details
        assert (detail["field"], detail.get("step", "note")) == (field, step)
        assert company.told(run_id)["last_event"] == before["last_event"]
    assert company.sql("select risk from customer where id = 1") == [(None,)]


def test_what_says_something_else_than_was_read_is_read_first(company: Company, run_id: str) -> None:
    (score, *_) = runs.later_screens(company.olivia, run_id, {"note": "So.", "count": 1})
    note = runs.Submission("note", None, {"note": "So.", "count": 2})
    later = [runs.Submission("score", None, {"why": "Twice."}, read=runs.read_digest(score))]
    with pytest.raises(Invalid):
        runs.complete_and_look(company.olivia, run_id, note, later)
    note = runs.Submission("note", None, {"note": "So.", "count": 1})
    assert runs.complete_and_look(company.olivia, run_id, note, later).json["current"]["step"] == "rate"


def test_only_steps_of_the_screen_are_completed_with_it(company: Company) -> None:
    workflows.import_file(document(GROUP | {"steps": ["note", "score"]}), publish=True)
    run_id = runs.start(company.olivia, "gathered", "customer", "1", {"why": "periodic"})
    company.answer(run_id)
    before = company.told(run_id)
    with pytest.raises(Conflict):
        submitted(company, run_id)
    assert company.told(run_id)["last_event"] == before["last_event"]


def test_who_did_a_step_of_the_screen_does_not_do_the_one_that_another_must_do(company: Company) -> None:
    made = document()
    next(step for step in made["steps"] if step["id"] == "decide")["not_by"] = ["step:note"]
    workflows.import_file(made, publish=True)
    run_id = runs.start(company.olivia, "gathered", "customer", "1", {"why": "periodic"})
    company.answer(run_id)
    shown = [screen["step"] for screen in runs.later_screens(company.olivia, run_id, ANSWERS["note"])]
    assert shown == ["score", "rate"]
    with pytest.raises(NotAllowed):
        submitted(company, run_id)
    assert company.sql("select risk from customer where id = 1") == [(None,)]


def test_a_step_that_was_decided_elsewhere_moves_the_screen_on(company: Company, run_id: str) -> None:
    revision = company.told(run_id)["revision"]
    company.answer(run_id)
    first = runs.Submission("note", revision, ANSWERS["note"])
    with pytest.raises(Conflict) as moved:
        runs.complete_and_look(company.olivia, run_id, first, [])
    assert moved.value.code == "stale_revision"


def test_what_waits_for_a_change_is_kept_with_the_run(company: Company, run_id: str) -> None:
    company.sql("create trigger no before update on customer begin select raise(fail, 'locked out'); end")
    view = submitted(company, run_id)
    assert view.json["current"]["step"] == "rate"
    company.sql("drop trigger no")
    runs.complete(company.olivia, run_id, runs.Submission("rate", None, {"risk": "high"}))
    told = company.told(run_id)
    assert told["current"]["step"] == "decide"
    assert told["current"]["draft"]["outcome"] == "approve"


def test_revising_one_step_leads_back_to_its_part_of_the_screen(company: Company) -> None:
    workflows.import_file(document(GROUP | {"steps": ["note", "score", "rate"]}), publish=True)
    run_id = runs.start(company.olivia, "gathered", "customer", "1", {"why": "periodic"})
    company.answer(run_id)
    first, *later = (runs.Submission(step, None, ANSWERS[step]) for step in ("note", "score", "rate"))
    view = runs.complete_and_look(company.olivia, run_id, first, later)
    assert view.json["current"]["step"] == "decide"
    score = next(each for each in view.json["attempts"] if each["step"] == "score")
    runs.revise(
        company.olivia,
        run_id,
        revision=view.json["revision"],
        step="score",
        attempt=score["attempt"],
        reason="A slip.",
    )
    told = company.told(run_id)
    assert told["current"]["step"] == "score"
    assert {"note"} == {
        each["step"]
        for each in told["attempts"]
        if each["step"] in GROUP["steps"] and each["status"] == "done" and not each["revised"]
    }
    drawn = runs.later_screens(company.olivia, run_id, {})
    assert [screen["step"] for screen in drawn] == ["rate"]


@pytest.mark.parametrize(
    ("members", "place"),
    [
        (["note"], "groups[0].steps"),
        (["read", "score"], "groups[0].steps[1]"),
        (["start", "load"], "groups[0].steps[0]"),
        (["load", "read"], "groups[0].steps[0]"),
        (["decide", "result"], "groups[0].steps[0]"),
        (["note", "rate"], "groups[0].steps[1]"),
    ],
)
def test_only_steps_that_follow_each_other_without_a_fork_stand_on_one_screen(
    members: list[str], place: str
) -> None:
    problems = workflow_check.check(document(GROUP | {"steps": members}), steps.all_types())
    assert place in [problem.field for problem in problems if problem.severity == "error"]
    turned = {**GROUP, "steps": GROUP["steps"][::-1]}
    assert not workflow_check.check(document(turned), steps.all_types())
    assert workflows_gathered(document(turned)) == ("score", "rate", "decide")


def workflows_gathered(made: dict[str, Any]) -> tuple[str, ...]:
    """The steps below the note in this document."""
    return Workflow.model_validate(made).gathered_after("note")


def test_a_document_without_screens_keeps_its_bytes() -> None:
    made = document({"title": "Judgement", "steps": ["note"]})
    assert "screen" not in workflow_check.upgraded(made)["groups"][0]
    assert Workflow.model_validate(made).to_json()["groups"] == [{"title": "Judgement", "steps": ["note"]}]


WHY: dict[str, Any] = {"form": [{"name": "why", "label": "Why", "type": "text", "required": True}]}


def screen(*middle: dict[str, Any]) -> None:
    """Publish a workflow whose note, middle steps and reason stand on one screen."""
    publish("screen", *middle, step_of("why", "update_data", WHY, default="end"))
    made = workflows.live("screen").document.to_json()
    members = ["note", *(each["id"] for each in middle), "why"]
    workflows.import_file(made | {"groups": [GROUP | {"steps": members}]}, publish=True)


def test_a_rejected_approval_leads_back_to_its_part_with_the_rest_as_it_was_typed(bank: Company) -> None:
    screen(step_of("charge", "charge", {}, default="why"))
    run_id = runs.start(bank.olivia, "screen", "customer", "1")
    answers = {"note": {"note": "All clear."}, "charge": {"amount": "300"}, "why": {"why": "Owed."}}
    first, *later = (runs.Submission(name, None, values) for name, values in answers.items())
    view = runs.complete_and_look(bank.olivia, run_id, first, later)
    assert view.json["status"] == "waiting_event"
    assert bank.sql("select balance from customer where id = 1") == [(12.5,)]
    approvals.reject(bank.mona, waiting_for(run_id), reason="Not this month.")
    told = bank.told(run_id)
    assert told["current"]["step"] == "charge"
    assert "Not this month." in told["current"]["errors"][0]["reason"]
    assert told["current"]["draft"]["values"] == {"why/why": "Owed."}
    assert bank.sql("select balance from customer where id = 1") == [(12.5,)]
    assert [each["step"] for each in runs.later_screens(bank.olivia, run_id, {"amount": "200"})] == ["why"]
    again = [runs.Submission("charge", None, {"amount": "200"}), later[1]]
    runs.complete_and_look(bank.olivia, run_id, again[0], again[1:])
    approvals.approve(bank.mona, waiting_for(run_id))
    told = bank.told(run_id)
    assert bank.sql("select balance from customer where id = 1") == [(200,)]
    assert (told["current"]["step"], told["current"]["draft"]["values"]) == ("why", {"why": "Owed."})
    whole(run_id)


def test_an_unknown_effect_is_settled_before_the_steps_below_it(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    with providing(monkeypatch) as provider:
        paying()
        screen(
            step_of("pay", "trigger_action", {"action": PAY["id"], "values": {"amount": "5"}}, default="why")
        )
        run_id = runs.start(company.olivia, "screen", "customer", "1")
        answers: dict[str, dict[str, Any]] = {
            "note": {"note": "All clear."},
            "pay": {"amount": 5},
            "why": {"why": "Owed."},
        }
        first, *later = (runs.Submission(name, None, values) for name, values in answers.items())
        provider.mood = "mute"
        view = runs.complete_and_look(company.olivia, run_id, first, later)
        provider.mood = "good"
        current = view.json["current"]
        assert (current["type"], current["step"], provider.payments) == ("settle", "pay", [5])
        assert runs.later_screens(company.olivia, run_id, {}) == [], "nothing below it before it is known"
        assert runs.check(company.olivia, run_id, revision=None, effect=current["effect"]["id"]) == "done"
        told = company.told(run_id)
        assert (told["current"]["step"], provider.payments) == ("why", [5])
        assert told["current"]["draft"]["values"] == {"why": "Owed."}
        company.answer(run_id, why="Owed.")
        assert company.told(run_id)["status"] == "completed"
        assert [each["step"] for each in company.told(run_id)["attempts"]] == [
            "start",
            "note",
            "pay",
            "why",
            "end",
        ]
        whole(run_id)
