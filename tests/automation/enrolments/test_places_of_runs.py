"""Who a hands-off run is about stands in its workflow once, whatever started the run; whoever tries to let them in again is told so at once."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from console import browse, runs, workflows
from console.activity import sequencing
from console.auth import accounts
from console.automation import enrolments, triggers as automation
from console.automation.enrolments import Counts, Question
from console.core.errors import Conflict
from console.core.run.origin import RecordRef
from console.infra import jobs
from console.infra.db.engine import fetch, transaction
from console.runs import StartedBy, WantedStart
from tests.company import Company
from tests.conftest import web_app
from tests.jobs import work_until_idle
from tests.support.engine import step, until, workers

pytestmark = pytest.mark.lengthy

ROBOT = "robot@fernwick.test"
SLUG = "looked-after"
STEPS = [step("start", "start", "pause"), step("pause", "wait", "end", {"days": 2}), step("end", "end", None)]
TRIGGERS = [
    {"id": "hook", "kind": "webhook", "enabled": True},
    {"id": "rated", "kind": "event", "on": "record.updated", "filter": "record.risk == 'high'"},
]
AT = Path(__file__).parents[3] / "migrations" / "sql" / "20261217_0550_places_of_runs.sql"


def publish(slug: str = SLUG, **more: Any) -> None:
    head = {
        "format": 1,
        "slug": slug,
        "title": "Looked after",
        "team": "operations",
        "run_as": ROBOT,
        "collection": "customer",
    }
    workflows.import_file(head | {"steps": STEPS, "triggers": TRIGGERS} | more, publish=True)
    automation.synchronise()


@pytest.fixture
def house(company: Company) -> Company:
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    publish()
    return company


def places(house: Company, **more: Any) -> dict[str | None, enrolments.Lead]:
    assert not list(enrolments.counts.rebuild(check=True))
    rows = enrolments.places.page(house.mona, enrolments.find(SLUG), **more).rows
    assert len(rows) == len({row.record for row in rows})
    return {row.record: row for row in rows}


def delivered(house: Company, record: str) -> tuple[int, str]:
    """(status, code) of a delivery about this record, sent with Mona's key."""
    key = accounts.create_key("sender", house.mona.id).text
    [each] = [each for each in automation.list_triggers(house.mona, SLUG)[1] if each.id == "hook"]
    answer = (
        web_app()
        .test_client()
        .post(
            f"/hooks/{each.address}",
            data=json.dumps({"record": record}),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )
    )
    return answer.status_code, answer.get_json().get("code", "")


def test_whoever_is_inside_stands_there_once_whatever_started_them(house: Company) -> None:
    assert delivered(house, "1") == (202, "")
    runs.start(house.mona, SLUG, "customer", "2")
    with workers():
        browse.change(house.mona, "customer", "4", {"risk": "high"}, {"risk": None})
        assert until(lambda: "4" in places(house))
    found = places(house)
    assert {key: (lead.origin, lead.trigger, lead.step, lead.status) for key, lead in found.items()} == {
        "1": ("webhook", "hook", "pause", "active"),
        "2": ("by_hand", None, "pause", "active"),
        "4": ("event", "rated", "pause", "active"),
    }
    assert found["2"].entered_by == house.mona.id
    assert enrolments.counts_for(house.mona, enrolments.find(SLUG).id, None) == Counts(
        active=3, steps={"pause": 3}, versions={1: 3}
    )


def test_already_inside_is_said_at_once_by_each_way_in(house: Company) -> None:
    assert delivered(house, "1") == (202, "")
    seen = enrolments.batches.begin(house.mona, SLUG, Question(keys=["1", "2"]), preview=True)
    assert (seen.enrolled, seen.already_enrolled) == (1, 1)
    _, answers = enrolments.enrol_leads(house.mona, SLUG, [{"record": "1"}, {"record": "2"}])
    assert [answer.status for answer in answers] == ["already_enrolled", "enrolled"]
    assert delivered(house, "1") == (409, "run_is_live")
    assert delivered(house, "2") == (409, "already_enrolled"), "who waits to begin is inside, too"
    with pytest.raises(Conflict, match="enrolled in this workflow already"):
        runs.start(house.mona, SLUG, "customer", "2")
    by = StartedBy("rated", "event")
    told = runs.start_many_hands_off(
        SLUG, [WantedStart(f"f{key}", by, RecordRef("customer", key)) for key in ("1", "2", "4")], places=10
    )
    assert [getattr(answer, "code", "begun") for answer in told] == [
        "run_is_live",
        "already_enrolled",
        "begun",
    ]
    work_until_idle({jobs.BEGIN})
    assert {key: lead.status for key, lead in places(house).items()} == dict.fromkeys(
        ("1", "2", "4"), "active"
    )
    assert not places(house, status="refused")


def test_a_place_ends_with_its_run_and_they_may_come_again(house: Company) -> None:
    runs.start(house.mona, SLUG, "customer", "1")
    lead = places(house)["1"]
    enrolments.unenrol(house.mona, SLUG, lead.id, "a mistake")
    assert runs.get(house.mona, str(lead.run)).json["status"] == "cancelled"
    assert not places(house)
    again = runs.start(house.mona, SLUG, "customer", "1")
    runs.cancel(house.mona, again, revision=None, reason="not now")
    sequencing.catch_up()
    enrolments.beginning.keep_in_step()
    assert not places(house)
    assert len(fetch("select from console.enrolment where left_at is not null and of_run")) == 2


def test_a_run_that_gave_its_place_goes_on_where_its_record_is_no_more(house: Company) -> None:
    runs.start(house.mona, SLUG, "customer", "1")
    enrolments.enrol_leads(house.mona, SLUG, [{"record": "2"}])
    work_until_idle({jobs.BEGIN, jobs.ADVANCE_HANDS_OFF})
    house.sql("delete from customer where id in (1, 2)")
    enrolments.exits.check_idle_leads()
    assert {key: lead.status for key, lead in places(house).items()} == {"1": "active"}


def test_a_test_has_no_place(house: Company) -> None:
    runs.start(house.mona, SLUG, "customer", "1", test=True)
    assert not places(house)


def test_an_update_gives_those_who_are_inside_their_places(house: Company) -> None:
    runs.start(house.mona, SLUG, "customer", "1")
    runs.start(house.mona, SLUG, "customer", "2")
    before = {
        key: (lead.run, lead.step, lead.version, lead.entered_by) for key, lead in places(house).items()
    }
    with transaction() as connection:
        connection.exec_driver_sql("delete from console.enrolment")
        text = AT.read_text(encoding="utf-8")
        start = text.index("insert into console.enrolment", text.index("execute function"))
        connection.exec_driver_sql(text[start : text.index(";", start)])
    assert {
        key: (lead.run, lead.step, lead.version, lead.entered_by) for key, lead in places(house).items()
    } == before


def test_the_pace_holds_for_whatever_triggers_start_and_counts_all_who_have_begun(house: Company) -> None:
    publish(settings={"per_minute": 2}, triggers=[{"id": "changed", "kind": "event", "on": "record.updated"}])
    runs.start(house.mona, SLUG, "customer", "1")
    for key in ("2", "3", "4"):
        browse.change(house.mona, "customer", key, {"display_name": f"Customer {key}"}, {})
    with workers():
        assert until(lambda: len(fetch("select from console.firing where status = 'started'")) == 1)
        time.sleep(3)
    assert [status for (status,) in fetch("select status from console.firing where status <> 'started'")] == [
        "waiting"
    ] * 2
    fetch("update console.run set created_at = created_at - interval '1 minute' returning id")
    with workers():
        assert until(lambda: len(fetch("select from console.firing where status = 'started'")) == 3)
