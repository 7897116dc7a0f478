"""Taking many out of a workflow at once: who is meant, what is seen before, and that nobody begins or is written to after."""

from contextlib import suppress

import pytest
import sqlalchemy as sa

from console import runs, workflows
from console.activity import sequencing
from console.auth import access
from console.automation import enrolments
from console.automation.enrolments import Question, Those, leaving_many
from console.core.errors import Conflict, Invalid, Malformed, NotAllowed, NotFound
from console.infra import faults, jobs
from console.infra.db.engine import fetch
from tests.authoring.publication.test_killed_changes import killed_at_each
from tests.automation.enrolments.test_enrolments import LEADS, WHY, counts, in_now
from tests.company import Company
from tests.jobs import BEGINNING, wait_until_free, work_until_idle
from tests.messaging.messages import reached
from tests.support.engine import whole

WHOLE = Those()


def two_begun_and_one_waiting(company: Company) -> None:
    enrolments.batches.begin(company.mona, "care-review", Question(keys=["1", "2"], values=WHY))
    work_until_idle(BEGINNING)
    sequencing.sequence()
    enrolments.counts.follow()
    enrolments.batches.begin(company.mona, "care-review", Question(keys=["3"], values=WHY))


def test_all_of_them_leave_and_their_runs_end(company: Company) -> None:
    two_begun_and_one_waiting(company)
    seen = leaving_many.plan(company.mona, "care-review", WHOLE)
    assert (seen.total, seen.waiting, seen.active, seen.steps, seen.partly) == (
        3,
        1,
        2,
        {"read": 2, "start": 1},
        False,
    )
    assert {lead.record for lead in seen.first} == {"1", "2", "3"}
    done = enrolments.take_out(company.mona, "care-review", WHOLE, "The wrong list.")
    assert (done.status, done.total, done.done, done.reason) == ("done", 3, 3, "The wrong list.")
    assert in_now(company) == []
    left = in_now(company, status="left")
    assert {(lead.ending, lead.reason) for lead in left} == {("unenrolled", "The wrong list.")}
    told = [runs.get(company.mona, str(lead.run)).json for lead in left if lead.run]
    assert [(run["status"], run["reason"]) for run in told] == [("cancelled", "The wrong list.")] * 2
    work_until_idle(BEGINNING)
    assert fetch("select count(*) from console.run where ended_at is null")[0][0] == 0, (
        "who waited never begins"
    )
    written = "select count(*) from console.event where convert_from(body, 'UTF8') like %s"
    assert [fetch(written, (f'%"type":"{kind}"%',)) for kind in ("lead_left", "leads_taken_out")] == [
        [(3,)],
        [(1,)],
    ]
    sequencing.sequence()
    enrolments.counts.follow()
    assert (counts().enrolled, counts().left) == (0, 3)


def test_only_those_that_are_meant_leave(company: Company) -> None:
    two_begun_and_one_waiting(company)
    for those, total in (
        (Those(step="read"), 2),
        (Those(status="waiting"), 1),
        (Those(version=1), 2),
        (Those(step="nowhere"), 0),
    ):
        assert leaving_many.plan(company.mona, "care-review", those).total == total
    enrolments.take_out(company.mona, "care-review", Those(status="waiting"), "Not yet.")
    assert {lead.record for lead in in_now(company)} == {"1", "2"}
    with pytest.raises(Conflict):
        enrolments.take_out(company.mona, "care-review", Those(step="nowhere"), "Nobody.")
    with pytest.raises(Malformed):
        leaving_many.plan(company.mona, "care-review", Those(status="left"))


def test_it_needs_the_right_and_a_reason_and_leaves_alone_what_the_person_may_not_see(
    company: Company,
) -> None:
    two_begun_and_one_waiting(company)
    for wrong, person in ((NotAllowed, company.olivia), (NotFound, company.stan)):
        with pytest.raises(wrong):
            leaving_many.plan(person, "care-review", WHOLE)
        with pytest.raises(wrong):
            enrolments.take_out(person, "care-review", WHOLE, "Because.")
    with pytest.raises(Invalid):
        enrolments.take_out(company.mona, "care-review", WHOLE, " ")
    access.grant("operator", "workflow:care-review", ["cancel"], team="operations")
    access.refresh()
    seen = leaving_many.plan(company.tom, "care-review", WHOLE)
    assert seen.partly
    act = enrolments.take_out(company.tom, "care-review", WHOLE, "The wrong list.")
    assert (act.total, act.done) == (2, 2), "who is out of scope is neither taken out nor counted"
    assert [lead.record for lead in in_now(company)] == ["3"], "customer 3 is of another desk"
    with pytest.raises(NotFound):
        leaving_many.of_workflow(company.stan, "care-review", act.id)
    with pytest.raises(NotFound):
        enrolments.batches.get(company.mona, act.id)


def test_many_leave_in_the_background_and_a_worker_that_dies_goes_on(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflows.import_file(LEADS, publish=True)
    enrolments.enrol_leads(
        company.olivia, "call-leads", [{"name": f"Lead {number}"} for number in range(250)]
    )
    monkeypatch.setattr(leaving_many, "_NEXT", leaving_many._NEXT.replace("limit 1000", "limit 100"))
    act = enrolments.take_out(company.mona, "call-leads", WHOLE, "A test list.")
    assert (act.status, act.total, act.done) == ("running", 250, 0)
    monkeypatch.setenv("HANDRAIL_FAULT", "enrolments.left_many=raise")
    with pytest.raises(faults.Fault):
        work_until_idle({jobs.TAKE_OUT})
    monkeypatch.delenv("HANDRAIL_FAULT")
    assert leaving_many.of_workflow(company.mona, "call-leads", act.id).done == 100
    leaving_many.advance(act.id)
    done = leaving_many.of_workflow(company.mona, "call-leads", act.id)
    assert (done.status, done.done) == ("done", 250)
    assert enrolments.batches.newest(company.mona, enrolments.find("call-leads")) == []


@pytest.mark.slow
def test_killed_at_every_point_all_have_left_once_and_every_run_has_ended(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL of the worker at the first, second, … point; then all connections of the database are lost over the second go."""
    workflows.import_file(LEADS, publish=True)
    monkeypatch.setattr(leaving_many, "_NEXT", leaving_many._NEXT.replace("limit 1000", "limit 2"))
    monkeypatch.setattr(leaving_many, "AT_HAND", 0)

    def prepare() -> str:
        enrolments.enrol_leads(
            company.olivia, "call-leads", [{"name": f"Lead {number}"} for number in range(3)]
        )
        work_until_idle(BEGINNING)
        enrolments.enrol_leads(company.olivia, "call-leads", [{"name": "Lead 4"}])
        catch_up()
        return enrolments.take_out(company.mona, "call-leads", WHOLE, "The wrong list.").id

    def judge(act_id: str) -> None:
        wait_until_free(act_id)
        cut_off()
        with suppress(sa.exc.OperationalError):  # the queue gives it to a worker again
            leaving_many.advance(act_id)
        leaving_many.advance(act_id)
        done = leaving_many.of_workflow(company.mona, "call-leads", act_id)
        assert (done.status, done.total, done.done) == ("done", 4, 4)
        assert fetch(
            "select count(*), count(distinct run) from console.enrolment where left_at is null or reason is null"
        ) == [(0, 0)]
        for run_id, status, ended in fetch(
            "select id, status, ended_at is not null from /* every run */ console.run"
        ):
            assert (status, ended) == ("cancelled", True)
            whole(run_id)
        work_until_idle(BEGINNING)
        written = "select count(*), count(distinct convert_from(body, 'UTF8')::jsonb #>> '{data,open,lead}') from console.event where convert_from(body, 'UTF8') like %s"
        left, leads = fetch(written, ('%"type":"lead_left"%',))[0]
        assert left == fetch("select count(*) from console.enrolment")[0][0]
        assert leads == left, "each has left once"

    killed_at_each(company, prepare, leaving_many.advance, judge, 4)


def catch_up() -> None:
    sequencing.sequence()
    enrolments.counts.follow()


def cut_off() -> None:
    """PostgreSQL ends all other connections, as when it is killed and started again."""
    fetch(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = current_user and datname = current_database() and pid <> pg_backend_pid()"
    )


def test_who_has_left_is_sent_nothing_even_before_their_run_is_ended(company: Company) -> None:
    reached.founded(company)
    document = {"format": 1, "slug": "hello", "title": "Hello", "team": "operations", "collection": "contact"}
    steps = [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "sms"}},
        {
            "id": "sms",
            "type": "sms",
            "title": "A text",
            "config": {"text": "Hello"},
            "next": {"default": "end"},
        },
        {"id": "end", "type": "end", "title": "End", "config": {"label": "Done"}, "next": {}},
    ]
    workflows.import_file({**document, "steps": steps}, publish=True)
    with reached.clock(reached.NOON):
        enrolments.batches.begin(company.mona, "hello", Question(keys=[reached.SAM]))
        work_until_idle(BEGINNING)
        assert leaving_many.plan(company.mona, "hello", WHOLE).pending == {"sms": 1}
        fetch(
            "update console.enrolment set left_at = now(), status = 'left' where left_at is null returning id"
        )
        reached.work()
        assert fetch("select status from console.message") == [("cancelled",)]
