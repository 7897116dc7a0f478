"""Due times: who is told at which part of the working time, once; what stands still and what adds up; where a late run goes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from console import log, monitoring, runs, workflows
from console.auth import accounts
from console.core.errors import Invalid, NotAllowed, NotFound
from console.core.scopes import unrestricted
from console.infra.db.engine import transaction
from console.monitoring import alerts
from console.work import due_times, my_work, notices, tickets, work_list
from console.work.work_list import Filters
from console.workflows import Known, inboxes
from tests.company import DESK, Company
from tests.conftest import web_app
from tests.messaging.messages.reached import clock
from tests.support.engine import step
from tests.views.conftest import signed_in

HOUR = timedelta(hours=1)


def known(slug: str = "care-review") -> Known:
    return next(one for one in workflows.all_known() if one.slug == slug)


def terms(company: Company, minutes: int = 100, **more: Any) -> dict[str, Any]:
    stages = [
        {"percent": 50, "do": "remind"},
        {"percent": 80, "do": "tell", "people": [company.mona.id]},
        {"percent": 100, "do": "move", "inbox": DESK["id"]},
    ]
    return {"minutes": minutes, "stages": stages} | more


def begun(run_id: str, minutes: float) -> None:
    """The run began so many minutes ago, and so did its steps; its clock is looked at again."""
    shift = {"id": run_id, "by": timedelta(minutes=minutes)}
    with transaction() as connection:
        connection.execute(sa.text("update console.run set created_at = now() - :by where id = :id"), shift)
        connection.execute(
            sa.text("update console.attempt set entered_at = entered_at - :by where run = :id"), shift
        )
        connection.execute(
            sa.text("update console.due_clock set begun_at = now() - :by, next_at = now() where run = :id"),
            shift,
        )


def told(company: Company, who: str) -> list[str]:
    return [notice.text for notice in notices.notices_of(company.people[who])]


def reached(run_id: str) -> list[int]:
    events = [event.open for event in log.events_of("sys:config") if event.type == "due_time_reached"]
    return [each["percent"] for each in events if each["late_run"] == run_id]


def test_lists_of_work_say_by_when_and_nothing_while_the_clock_stands_still(company: Company) -> None:
    due_times.set_for_workflow(company.mona, known(), terms(company))
    run_id = company.at("note")
    begun(run_id, 40)
    (head,) = [head for head in my_work.work_of(company.olivia).in_hand if head.id == run_id]
    due = my_work.work_of(company.olivia).why[run_id].due
    assert isinstance(due, datetime)
    assert abs(due - head.created_at - timedelta(minutes=100)) < timedelta(seconds=5)
    begun(run_id, 130)
    late = my_work.work_of(company.olivia).why[run_id].due
    assert isinstance(late, datetime)
    assert timedelta(minutes=29) < log.now() - late < timedelta(minutes=31)
    assert due_times.due_of([replace(head, ended_at=log.now(), status="completed")], unrestricted) == {}


def test_each_part_of_the_time_is_told_once_and_a_late_run_goes_to_the_inbox(company: Company) -> None:
    due_times.set_for_workflow(company.mona, known(), terms(company))
    run_id = company.at("note")
    assert (due_times.look(), told(company, "olivia")) == (1, [])
    begun(run_id, 55)
    assert (due_times.look(), due_times.look()) == (1, 0)
    assert told(company, "olivia") == ["The time for this run is running out"]
    begun(run_id, 85)
    due_times.look()
    begun(run_id, 101)
    due_times.look()
    begun(run_id, 300)
    due_times.look()
    assert (len(told(company, "olivia")), told(company, "mona")) == (
        1,
        ["The time for this run is running out"],
    )
    run = company.told(run_id)
    assert (run["holder"], run["ticket"]["inbox"], run["ticket"]["priority"]) == (None, DESK["id"], "urgent")
    assert reached(run_id) == [50, 80, 100]


def test_a_used_up_time_starts_a_workflow_once(company: Company) -> None:
    accounts.create_service_account("robot@fernwick.example", [("operator", "operations")])
    start = step(
        "start",
        "start",
        "end",
        {"fields": [{"name": "run", "label": "Run"}, {"name": "workflow", "label": "Workflow"}]},
    )
    rescue = {
        "format": 1,
        "slug": "rescue",
        "title": "Rescue",
        "team": "operations",
        "run_as": "robot@fernwick.example",
    }
    workflows.import_file(rescue | {"steps": [start, step("end", "end", None)]}, publish=True)
    with pytest.raises(Invalid, match="alert was not made") as refused:
        alerts.add(company.mona, known(), kind="slow", starts="rescue")
    assert refused.value.details[0]["field"] == "minutes"
    due_times.set_for_workflow(company.mona, known(), terms(company))
    alerts.add(company.mona, known(), kind="slow", starts="rescue")
    run_id = company.at("note")
    begun(run_id, 85)
    assert (due_times.look(), alerts.tell_slow()) == (1, 0)
    begun(run_id, 101)
    assert (due_times.look(), alerts.tell_slow(), alerts.tell_slow()) == (1, 1, 0)
    (rescued,) = runs.find(company.mona, {"workflow": "rescue"})[0]
    given = company.told(rescued.id, "mona")["attempts"][0]["values"]
    assert given == {"run": run_id, "workflow": "care-review"}


def test_the_clock_stands_still_while_somebody_outside_is_waited_for(company: Company) -> None:
    steps = [
        step("start", "start", "later"),
        step("later", "wait", "read", {"days": 3}),
        step("read", "guidance", "end", {"text": "Read."}),
        step("end", "end", None),
    ]
    document = {
        "format": 1,
        "slug": "pending",
        "title": "Pending",
        "collection": "customer",
        "team": "operations",
        "steps": steps,
    }
    workflows.import_file(document, publish=True)
    due_times.set_for_workflow(company.mona, known("pending"), terms(company))
    run_id = runs.start(company.olivia, "pending", "customer", "1", {})
    with transaction() as connection:
        connection.execute(
            sa.text("update console.run set created_at = created_at - interval '30 minutes' where id = :id"),
            {"id": run_id},
        )
    rule = due_times.rule_of_workflow(known("pending").id)
    assert rule is not None
    clock = due_times.clock_of(run_id, rule)
    assert clock is not None
    assert (clock.percent, clock.still) == (30, True)
    begun(run_id, 600)
    with transaction() as connection:
        connection.execute(
            sa.text(
                "update console.attempt set entered_at = now() - interval '550 minutes' where run = :id and step = 'later'"
            ),
            {"id": run_id},
        )
    clock = due_times.clock_of(run_id, rule)
    assert clock is not None
    assert clock.percent == 50
    assert [round(part / 60) for part in (clock.age_s, clock.worked_s, clock.waited_s)] == [600, 50, 550]


def test_a_ticket_has_the_time_of_its_inbox_from_when_it_came_in(company: Company) -> None:
    assert inboxes.visible_inbox(company.mona, DESK["id"])
    due_times.set_for_inbox(
        company.mona,
        DESK["id"],
        {"minutes": 60, "stages": [{"percent": 100, "do": "tell", "people": [company.mona.id]}]},
    )
    run_id = company.at("note")
    assert due_times.look() == 0
    runs.escalate(company.olivia, run_id, revision=None, inbox=DESK["id"], reason="Look")
    assert due_times.look() == 1
    with transaction() as connection:
        since = (datetime.now(UTC) - 2 * HOUR).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        connection.execute(
            sa.text(
                "update console.run set ticket = jsonb_set(ticket, '{at}', to_jsonb(cast(:at as text))) where id = :id"
            ),
            {"at": since, "id": run_id},
        )
    due_times.note_due()
    [ticket] = tickets.to_do(company.tom, DESK["id"]).tickets
    [item] = work_list.find(company.tom, Filters(due="overdue")).items
    assert ticket.due == item.due == datetime.fromisoformat(since) + HOUR
    counted = tickets.count(company.tom, [inboxes.visible_inbox(company.tom, DESK["id"])])[DESK["id"]]
    assert (counted.to_do, counted.late.overdue) == (1, 1)
    due_times.look()
    assert told(company, "mona") == ["The time for this run is used up"]


def test_who_may_set_them_and_take_them_away(company: Company) -> None:
    for who in ("olivia", "ada", "rosa"):
        with pytest.raises(NotAllowed):
            due_times.set_for_workflow(company.people[who], known(), terms(company))
    for who in ("olivia", "stan"):
        with pytest.raises((NotAllowed, NotFound)):
            due_times.set_for_inbox(company.people[who], DESK["id"], terms(company))
    with pytest.raises(Invalid):
        due_times.set_for_inbox(
            company.mona, DESK["id"], terms(company, approvals=[{"minutes": 60, "do": "remind"}])
        )
    rule = due_times.set_for_workflow(
        company.mona,
        known(),
        terms(company, zone="Europe/Vilnius", days=["mon", "fri"], opens="09:00", closes="17:00"),
    )
    assert rule is not None
    assert rule.to_json() | {"stages": None} == {
        "minutes": 100,
        "zone": "Europe/Vilnius",
        "days": ["mon", "fri"],
        "opens": "09:00",
        "closes": "17:00",
        "holidays": [],
        "stages": None,
        "approvals": [],
    }
    again = due_times.set_for_workflow(company.mona, known(), terms(company, 200))
    assert again is not None
    assert (again.id, again.minutes) == (rule.id, 200)
    due_times.set_for_workflow(company.mona, known(), None)
    with pytest.raises(NotFound):
        due_times.set_for_workflow(company.mona, known(), None)
    assert monitoring.due_times.rule_of_workflow(known().id) is None


def test_a_breach_is_in_the_report_with_who_held_it_how_long(company: Company) -> None:
    due_times.set_for_workflow(company.mona, known(), terms(company))
    with clock(datetime(2026, 11, 20, 12, tzinfo=UTC)) as move:
        run_id = company.at("note")
        assert monitoring.late_runs(company.mona, known(), 30, "UTC") == []
        move(timedelta(minutes=60))
        runs.release(company.olivia, run_id, revision=company.told(run_id)["revision"])
        move(timedelta(minutes=30))
        runs.take_over(company.mona, run_id, revision=company.told(run_id, "mona")["revision"])
        move(timedelta(minutes=70))
        due_times.look()
        [late] = monitoring.late_runs(company.mona, known(), 30, "UTC")
        assert (late.run, late.total_s, round(late.worked_s / 60), late.ended_at) == (
            run_id,
            6000.0,
            160,
            None,
        )
        held = {each.name: round(each.worked_s / 60) for each in late.held}
        assert sorted(held.items()) == [("", 30), (company.mona.name, 70), (company.olivia.name, 60)]
        assert monitoring.late_runs(company.stan, known(), 30, "UTC") == []
        page = signed_in(web_app(), "mona").get("/workflows/care-review/metrics").text
        assert "Overdue runs" in page
        assert "160%" in page
