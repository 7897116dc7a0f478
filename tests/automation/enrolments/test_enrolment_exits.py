"""Who leaves early: exits at each event about them and by the patrol, records that are gone, and what a dead process left half done."""

from typing import Any

import pytest

from console import browse, runs, workflows
from console.activity import sequencing
from console.auth import accounts
from console.automation import enrolments, triggers
from console.automation.enrolments import Lead, Question
from console.core.errors import Conflict
from console.infra import jobs
from console.infra.db.engine import fetch, place_among
from console.messaging.messages import opting_out
from console.operations import erasure
from tests.company import DOCUMENT, Company
from tests.jobs import BEGINNING, MOVING, work_until_idle
from tests.support.engine import step

pytestmark = pytest.mark.lengthy

ROBOT = "robot@fernwick.example"
EXITS = [
    {"if": "event.on == 'record.updated' && record.risk == 'high'", "reason": "too risky"},
    {"if": "record.desk == 'corporate'", "reason": "not ours"},
]
NURTURE: dict[str, Any] = {
    **{name: DOCUMENT[name] for name in ("format", "collection", "team", "roles")},
    "slug": "nurture",
    "title": "Nurture",
    "run_as": ROBOT,
    "exits": EXITS,
    "settings": {"parallel": 2},
    "steps": [
        step("start", "start", "rest"),
        step("rest", "wait", "end", {"duration": "hours(48)"}),
        step("end", "end", None),
    ],
}


@pytest.fixture(name="nurture", autouse=True)
def fixture_nurture(company: Company) -> None:
    """A workflow that waits for two days, run by an account."""
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    workflows.import_file(NURTURE, publish=True)
    assert company.people


def enrolled(company: Company, *keys: str) -> None:
    for key in keys:
        enrolments.batches.begin(company.olivia, "nurture", Question(keys=[key]))
        work_until_idle(BEGINNING)
    followed()


def followed() -> None:
    sequencing.sequence()
    enrolments.beginning.keep_in_step()


def lead(company: Company, key: str) -> Lead:
    found = enrolments.places.page(company.mona, enrolments.find("nurture"), status=None).rows
    left = enrolments.places.page(company.mona, enrolments.find("nurture"), status="left").rows
    return next(one for one in [*found, *left] if one.record == key)


def test_an_event_about_somebody_makes_them_leave_where_an_exit_says_so(company: Company) -> None:
    enrolled(company, "1", "2")
    browse.change(company.olivia, "customer", "2", {"risk": "medium"}, {"risk": "low"})
    browse.change(company.olivia, "customer", "1", {"risk": "high"}, {"risk": None})
    sequencing.sequence()
    assert enrolments.exits.look() == 1
    assert enrolments.exits.look() == 0
    gone = lead(company, "1")
    assert (gone.status, gone.ending, gone.reason) == ("left", "exited", "exited: too risky")
    told = runs.get(company.mona, str(gone.run)).json
    assert (told["status"], told["reason"]) == ("completed", "exited: too risky")
    assert lead(company, "2").status == "active"
    for key in ("1", "2"):  # the wait that she was taken out of, and the one that he still is at
        seen = enrolments.places.lead(
            company.mona, enrolments.find("nurture"), lead(company, key).id
        ).to_json()
        assert [(passed["node_id"], passed["outcome"]) for passed in seen["history"]] == [
            ("node_start", "default"),
            ("node_rest", None),
        ]
        assert {seen["at"][-1], *(passed["at"][-1] for passed in seen["history"])} == {"Z"}
    followed()
    assert list(runs.rebuild(str(gone.run), check=True)) == []
    assert list(enrolments.counts.rebuild(check=True)) == []


def test_a_preview_says_whom_an_exit_would_take_out_again_at_once(company: Company) -> None:
    company.sql("update customer set desk = 'corporate' where id in (1, 4)")
    batch = enrolments.batches.begin(
        company.olivia, "nurture", Question(keys=["1", "2", "4", "99"]), preview=True
    )
    assert (batch.enrolled, batch.exits) == (3, {"not ours": 2})
    assert batch.to_json()["exits"] == [{"reason": "not ours", "count": 2}]
    enrolled(company, "1", "2", "4")
    assert [lead(company, key).reason for key in ("1", "2", "4")] == [
        "exited: not ours",
        None,
        "exited: not ours",
    ]
    done = enrolments.batches.begin(company.olivia, "nurture", Question(keys=["3"]))
    assert done.to_json()["exits"] is None


def test_whose_run_is_done_again_is_in_the_workflow_again_and_leaves_it_by_its_exits(
    company: Company,
) -> None:
    enrolled(company, "1", "2", "4")
    old = {key: str(lead(company, key).run) for key in "124"}
    for run_id in old.values():
        runs.cancel(company.mona, run_id, revision=None, reason="Stopped")
    followed()
    again = enrolments.rerun(company.mona, old["1"], origin="failure", version="current")
    followed()
    back = lead(company, "1")
    assert (back.status, back.run, back.ending, back.reason, back.step) == (
        "active",
        again,
        None,
        None,
        "rest",
    )
    assert list(enrolments.counts.rebuild(check=True)) == []
    browse.change(company.olivia, "customer", "1", {"risk": "high"}, {"risk": None})
    followed()
    enrolments.exits.look()
    assert (lead(company, "1").reason, company.told(again)["status"]) == ("exited: too risky", "completed")
    company.sql("update customer set desk = 'corporate' where id = 2")
    enrolled(company, "4")
    for key, code in (("2", "exited"), ("4", "run_is_live")):
        with pytest.raises(Conflict) as refused:
            enrolments.rerun(company.mona, old[key], origin="start", version="current")
        assert refused.value.code == code
    assert len(fetch("select 1 from console.run")) == 5


def test_who_withdraws_consent_leaves_where_an_exit_says_so(company: Company) -> None:
    workflows.import_file(
        NURTURE | {"exits": [{"if": "event.on == 'consent.withdrawn'", "reason": "opted out"}]}, publish=True
    )
    enrolled(company, "1", "2")
    opting_out.withdraw([("customer", "2")], ("email",), "link")
    followed()
    enrolments.exits.look()
    assert (lead(company, "2").status, lead(company, "2").reason) == ("left", "exited: opted out")
    assert lead(company, "1").status != "left"


def test_who_meets_an_exit_before_they_begin_never_begins(company: Company) -> None:
    enrolled(company, "3")
    assert (lead(company, "3").reason, lead(company, "3").run) == ("exited: not ours", None)
    assert fetch("select count(*) from console.run")[0][0] == 0


def test_what_changes_without_an_event_is_found_by_the_patrol_and_a_record_that_is_gone_ends_the_place(
    company: Company,
) -> None:
    enrolled(company, "1", "2", "4")
    workflows.import_file({**NURTURE, "slug": "doomed", "title": "Doomed"})
    enrolments.batches.begin(company.olivia, "doomed", Question(keys=["1", "3"]))
    with pytest.raises(Conflict, match="2 wait in it to begin: remove all"):
        workflows.remove(company.mona, "doomed")
    fetch(
        "delete from console.workflow where slug = 'doomed' returning 1"
    )  # as it could be deleted before: who was in it stops nobody else
    assert [place.title for place in erasure.preview(company.ines, "customer", "1").enrolled] == ["Nurture"]
    company.sql("update customer set desk = 'corporate' where id = 2")
    company.sql("delete from customer where id = 4")
    assert enrolments.exits.check_idle_leads() == 2
    assert lead(company, "2").reason == "exited: not ours"
    gone = lead(company, "4")
    assert (gone.ending, gone.reason) == ("record_gone", "The record is no longer there.")
    run = fetch("select status, reason from console.run where id = %s", (gone.run,))[0]
    assert tuple(run) == ("cancelled", "The record is no longer there.")
    assert {head.id: head.record_title for head in runs.find(company.mona, {"status": "cancelled"})[0]} == {
        gone.run: "A record that is gone"
    }


def test_a_run_that_a_dead_process_left_behind_is_ended(company: Company) -> None:
    enrolled(company, "1")
    fetch(
        "update console.enrolment set left_at = now(), status = 'left', ending = 'exited', reason = 'exited: x' returning id"
    )
    followed()
    assert runs.get(company.mona, str(lead(company, "1").run)).json["status"] == "completed"


def test_erasing_somebody_takes_them_out_in_the_same_act(company: Company) -> None:
    enrolled(company, "1")
    enrolments.batches.begin(company.olivia, "nurture", Question(keys=["2"]))
    runs_of = {key: lead(company, key).run for key in ("1", "2")}
    for key in ("1", "2"):
        plan = erasure.preview(company.ines, "customer", key)
        assert ([place.title for place in plan.enrolled], plan.live) == (["Nurture"], ())
        erasure.erase(company.ines, "customer", key, "Asked for it.")
        gone = fetch("select status, ending, reason, ct from console.enrolment where record = %s", (key,))
        assert [tuple(row) for row in gone] == [("left", "erased", None, None)]
    assert fetch("select status from console.run where id = %s", (runs_of["1"],)) == [("cancelled",)]
    assert (
        runs.get(company.mona, str(runs_of["1"])).ended_because == "What was held about the person was erased"
    )
    assert runs_of["1"] in {
        head.id for head in runs.find(company.mona, {"workflow": "nurture", "parts": "0"})[0]
    }, "lists keep it"
    followed()
    assert list(enrolments.counts.rebuild(check=True)) == []


def test_no_more_begin_than_the_pace_lets_and_the_same_start_twice_is_one_run(company: Company) -> None:
    enrolments.batches.begin(company.olivia, "nurture", Question(keys=["1", "2", "4"]))
    workflow = enrolments.find("nurture").id
    with (
        place_among(f"workflow:{workflow}", 2),
        place_among(f"workflow:{workflow}", 2),
        pytest.raises(jobs.PutBack),
    ):
        enrolments.begin(workflow)
    assert fetch("select count(*) from console.run")[0][0] == 2, "two at work at once"
    fetch("update console.enrolment set status = 'waiting', run = null where status = 'active' returning id")
    work_until_idle(MOVING)
    enrolments.beginning.pick_up()
    work_until_idle(BEGINNING)
    assert fetch("select count(*) from console.run")[0][0] == 3
    followed()
    assert list(enrolments.counts.rebuild(check=True)) == []


@pytest.mark.parametrize(
    ("exits", "said"),
    [
        ([{"if": "record.rsk == 'high'", "reason": "x"}], "is risk meant?"),
        ([{"if": "steps.rest.x == 1", "reason": "x"}], "step rest"),
        ([{"if": "record.risk ==", "reason": "x"}], ""),
        ([{"if": "event.on == 'consent.withdrew'", "reason": "x"}], "There is no event consent.withdrew"),
        ([{"if": "event.on in ['tag.added', 'mail.came']", "reason": "x"}], "There is no event mail.came"),
        ([{"if": "event.on == 'tag.added'"}], ""),
    ],
)
def test_an_exit_that_cannot_apply_is_a_problem_of_the_document(
    company: Company, exits: Any, said: str
) -> None:
    problems = workflows.check(NURTURE | {"exits": exits}, workflows.connected())
    assert any(problem.field.startswith("exits[0]") and said in problem.reason for problem in problems)


def test_what_a_trigger_finds_is_enrolled_once_and_begins_at_the_pace(company: Company) -> None:
    rated = {"id": "rated", "kind": "event", "on": "record.updated", "filter": "record.risk == 'medium'"}
    workflows.import_file(
        NURTURE | {"triggers": [rated], "exits": EXITS[:1], "reenrol": "never"}, publish=True
    )
    sequencing.sequence()
    triggers.synchronise()
    for _ in range(2):
        browse.change(company.olivia, "customer", "2", {"risk": "medium"}, {"risk": "low"})
        sequencing.sequence()
        triggers.follow_log()
        work_until_idle(jobs.JOBS - {jobs.PROPOSE})
        followed()
        enrolments.unenrol(company.mona, "nurture", lead(company, "2").id, "Enough.") if lead(
            company, "2"
        ).left_at is None else None
        browse.change(company.olivia, "customer", "2", {"risk": "low"}, {"risk": "medium"})
    assert fetch("select count(*) from console.run") == [(1,)]
    told = [tuple(row) for row in fetch("select status, why from console.firing order by id")]
    assert told == [
        ("started", "Enrolled: the run begins when it is its turn."),
        ("refused", "Was in this workflow before: it takes nobody twice."),
    ]
    run = runs.get(company.mona, str(lead(company, "2").run)).json
    assert run["trigger"]["id"] == "rated"
    (refused, enrolled) = triggers.list_triggers(company.mona, "nurture")[1][0].last
    assert (refused.run, enrolled.run, enrolled.why) == (None, run["id"], None), (
        "what became of them, not what was to come"
    )
    fetch("update console.enrolment set run = null returning id")
    assert (
        triggers.list_triggers(company.mona, "nurture")[1][0].last[1].why
        == "Enrolled, and out of it again before the run began."
    )


def test_whoever_waits_for_the_deletion_of_their_record_is_not_taken_out_by_it(company: Company) -> None:
    steps = [
        step("start", "start", "rest"),
        step("rest", "wait", "end", {"event": "record.deleted"}),
        step("end", "end", None),
    ]
    steps[1]["next"] = {"event": "end"}
    workflows.import_file(NURTURE | {"steps": steps}, publish=True)
    enrolled(company, "4")
    company.sql("delete from customer where id = 4")
    enrolments.exits.check_idle_leads()
    assert lead(company, "4").status == "active"
