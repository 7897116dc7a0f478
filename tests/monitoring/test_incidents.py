"""Failed runs by cause, done again together; figures of a workflow; and what a retry leaves as it was."""

from collections import Counter
from typing import Any

import pytest

from console import log, monitoring, runs, workflows
from console.activity import sequencing
from console.auth import accounts
from console.core.errors import Invalid, NotAllowed, NotFound
from console.core.run.origin import StartedBy
from console.infra.db.engine import fetch
from console.monitoring import incidents
from console.runs.views import record_reach
from console.workflows import Known
from tests.company import Company
from tests.conftest import web_app
from tests.support.engine import step
from tests.support.failing import failed, mend
from tests.tables import cases
from tests.views.conftest import signed_in

ROBOT = "robot@fernwick.test"


def known(slug: str = "reminding") -> Known:
    return next(one for one in workflows.all_known() if one.slug == slug)


def noted() -> int:
    """The log gets its order, and failures are read from it."""
    sequencing.catch_up()
    return monitoring.read_log()


def _retry(key: str, cause: str, **sent: Any) -> Any:
    path = f"/api/v1/workflows/reminding/incidents/{cause}/retry"
    return (
        web_app().test_client().post(path, json=sent, headers={"Authorization": f"Bearer {key}"}).get_json()
    )


def test_failed_runs_of_one_cause_are_done_again_together(company: Company) -> None:
    old = [failed(company, record) for record in "124"]
    told = [company.told(run_id) for run_id in old]
    assert (noted(), noted()) == (3, 0)
    (incident,) = incidents.open_incidents(company.olivia)
    assert (incident.count, incident.step_title, incident.versions, incident.newest.id) == (
        3,
        "later",
        [1],
        max(old),
    )
    assert incident.message == told[0]["reason"]
    assert incidents.count_open(company.olivia, known().id) == 1
    seen = _retry(accounts.create_key("tests", company.olivia.id).text, incident.cause, preview=True)
    assert (seen["runs"], seen["left"], seen["acted"], seen["started"]) == (old, 3, False, {})
    assert [company.told(run_id) for run_id in old] == told, "a preview starts none"
    stranger = _retry(accounts.create_key("tests", company.stan.id).text, incident.cause, preview=True)
    assert stranger["code"] == "not_found"
    mend(company, "1", "2")
    done = incidents.retry_all(company.olivia, known(), incident.cause, origin="failure", version="current")
    assert (list(done.started), done.refused, done.left) == (old, {}, 0)
    again = {record: company.told(done.started[run_id]) for record, run_id in zip("124", old, strict=True)}
    assert {record: run["status"] for record, run in again.items()} == {
        "1": "completed",
        "2": "completed",
        "4": "failed",
    }
    assert [run["rerun_of"] for run in again.values()] == old
    assert [head.id for head in runs.find(company.olivia, {"rerun_of": old[0]})[0]] == [done.started[old[0]]]
    assert [
        head.id for head in runs.find(company.olivia, {"error": incident.code, "workflow": "reminding"})[0]
    ] == old[::-1]
    assert [company.told(run_id) for run_id in old] == told, "what failed stays as it was"
    assert [log.events_of(run)[0].open["linked_to"] for run in done.started.values()] == old
    noted()
    (left,) = incidents.open_incidents(company.olivia)
    assert (left.count, left.newest.id) == (1, done.started[old[2]])
    came = monitoring.endings.endings(company.olivia, known(), 30, "UTC")
    ends = Counter(status for (status, _), number in came.ends.items() for _ in range(number))
    assert (came.begun, ends) == (3, {"completed": 2, "failed": 1}), (
        "each counts by what came of it in the end"
    )
    figures = monitoring.metrics(company.olivia, known(), 7, "UTC")
    assert (figures.total, figures.failed, figures.done_again, figures.success) == (6, 4, 3, 2 / 3), (
        "and so it does in the rate of success"
    )
    assert (figures.to_json()["done_again"], figures.ended[-1].standing) == (3, 1)
    assert [
        card.success for card in monitoring.cards(company.olivia, "UTC") if card.known.slug == "reminding"
    ] == [2 / 3]


def test_set_aside_with_a_reason(company: Company) -> None:
    failed(company)
    noted()
    (incident,) = incidents.open_incidents(company.mona)
    with pytest.raises(Invalid):
        incidents.close(company.mona, known(), incident.cause, " ")
    assert incidents.close(company.mona, known(), incident.cause, "Called them") == 1
    assert incidents.open_incidents(company.mona) == []
    with pytest.raises(NotFound):
        incidents.retry_all(company.mona, known(), incident.cause, origin="start", version="current")
    last = log.events_of("sys:config")[-1]
    assert (last.type, last.open["count"], last.values["reason"]) == ("incident_closed", 1, "Called them")


def test_who_sees_and_who_may(company: Company) -> None:
    failed(company, "3")
    noted()
    (incident,) = incidents.open_incidents(company.olivia)
    assert incidents.open_incidents(company.tom) == [], "the record is not of his desk"
    assert incidents.count_open(company.tom, known().id) == 0
    assert incidents.open_incidents(company.stan) == []
    for who, error in (("tom", NotFound), ("ada", NotAllowed), ("stan", NotAllowed)):
        with pytest.raises(error):
            incidents.retry_all(
                company.people[who], known(), incident.cause, origin="start", version="current"
            )
    with pytest.raises(NotAllowed):
        incidents.close(company.olivia, known(), incident.cause, "Mine")
    mend(company, "3")
    incidents.retry_all(company.olivia, known(), incident.cause, origin="failure", version="current")
    noted()


def test_what_is_settled_hides_nothing_open_from_who_sees_a_part_of_the_records(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For them only the newest runs are counted: of those that failed only what stands open is among them, however many failed since."""
    monkeypatch.setattr(record_reach, "MOST_COUNTED", 1)
    failed(company, "1")
    newer = failed(company, "2")
    noted()
    fetch("update console.failure set closed_at = now() where run = %s returning 1", (newer,))
    for who in (company.tom, company.mona):
        assert incidents.failed_runs(who, [known().id]) == {known().id: 1}
        assert incidents.count_open(who, known().id) == 1
        assert [each.count for each in incidents.open_incidents(who)] == [1]


def test_figures_of_a_workflow(company: Company) -> None:
    failed(company, "1")
    mend(company, "2")
    runs.start(company.olivia, "reminding", "customer", "2")
    live = monitoring.metrics(company.olivia, known("care-review"), 7, "UTC")
    assert (live.total, live.success, live.average_s, live.steps) == (0, None, None, [])
    told = monitoring.metrics(company.olivia, known(), 7, "UTC")
    assert (told.total, told.live, told.failed, told.success, len(told.ended)) == (2, 0, 1, 0.5, 7)
    assert (told.ended[-1].done, told.ended[-1].wrong) == (1, 1)
    assert told.average_s is not None
    assert [(step.step, step.entered, step.failed) for step in told.steps] == [
        ("start", 2, 0),
        ("note", 2, 0),
        ("later", 2, 1),
        ("end", 1, 0),
    ]
    assert monitoring.metrics(company.tom, known(), 7, "Pacific/Auckland").total == 2
    runs.abort(company.olivia, company.started("1"), revision=None, reason="Wrong")
    care = monitoring.metrics(company.olivia, known("care-review"), 30, "UTC")
    assert (care.total, care.success, care.ended[-1].stopped) == (1, None, 1), (
        "what people ended is no failure"
    )


@cases(
    "items, title, link",
    [
        (
            {"collection": "customer", "fields": ["display_name", "updated_at"], "where": "record.id == 3"},
            "Halcyon Harbour Trading B.V.",
            '<a href="/c/customer/3">',
        ),
        ({"entries": "['north', 'south']"}, "2", ""),
    ],
)
def test_a_failed_item_of_a_loop_is_named_and_led_to(
    company: Company, items: dict[str, Any], title: str, link: str
) -> None:
    slug = "going-on" if link else "going-through"
    if ROBOT not in accounts.service_accounts():
        accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    steps = [
        step("start", "start", "each"),
        step("each", "loop", "end", {"items": items, "body": "later", "on_failure": "continue"}),
        step("later", "wait", "end", {"until": "item.updated_at"}),
        step("end", "end", None),
    ]
    head = {
        "format": 1,
        "slug": slug,
        "title": "Going",
        "team": "operations",
        "run_as": ROBOT,
        "settings": {"on_error": "fail", "retries": 0},
    }
    workflows.import_file(head | {"steps": steps}, publish=True)
    run_id = runs.start_hands_off(
        slug, by=StartedBy("night", "schedule"), record=None, values={}, key="night"
    )
    company.work()
    assert company.told(run_id, "mona")["status"] == "completed"
    noted()
    (incident,) = incidents.open_incidents(company.mona, known(slug).id)
    assert incident.newest.item is not None
    assert incident.newest.about == title
    client = signed_in(web_app(), "mona")
    for page in (f"/workflows/{slug}/incidents", f"/workflows/{slug}/executions/{incident.newest.id}"):
        text = client.get(page).get_data(as_text=True)
        assert title in text
        assert link in text
    incidents.retry_all(company.mona, known(slug), incident.cause, origin="failure", version="current")
    company.work()
    noted()
    (again,) = incidents.open_incidents(company.mona, known(slug).id)
    assert (again.newest.id != incident.newest.id, again.newest.about) == (True, title), (
        "done again it is about the same"
    )
    if link:
        assert [each.newest.item for each in incidents.open_incidents(company.tom, known(slug).id)] == [
            None
        ], "the record is not of his desk"
