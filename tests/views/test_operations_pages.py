"""The operations page with its switch, the banner on every page, and the figures for Prometheus."""

from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from console import runs
from console.auth import accounts
from console.infra import jobs as queue
from console.infra.db.engine import transaction
from console.operations import copies
from tests.infra.jobs.test_background import give_up
from tests.support.engine import jobs, waiting

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

BANNER = "Everything that goes by itself is paused"


def test_the_page_shows_the_background_and_turns_the_switch(pages: "Pages") -> None:
    waiting({"hours": 1})
    page = pages.ines.get("/operations")
    assert "No worker is there" in page.text
    assert BANNER not in page.text
    pages.ines.send(page, "/operations/pause", reason="The provider lies")
    for browser, path in (
        (pages.ines, "/operations"),
        (pages.olivia, "/"),
        (pages.stan, "/settings/me"),
        (pages.olivia, "/c/customer"),
    ):
        assert BANNER in browser.get(path).text
    runs.start(pages.company.olivia, "waiting", None, None, {})
    assert "Nothing waits to leave or to go on at this moment" in pages.ines.get("/operations").text
    with transaction() as connection:
        for name in (queue.BULK, queue.ENROL):
            queue.enqueue(connection, name, "one", dedupe_key=name)
        connection.exec_driver_sql(
            "update console.run set status = 'waiting_time', waiting = jsonb_build_object('until', '2026-01-01T00:00:00Z')"
        )
    waits = "1 change of many records, 1 enrolment of many, 1 run that goes on by itself"
    assert waits in pages.ines.get("/operations").text, "all that the pause holds"
    page = pages.ines.send(pages.ines.get("/operations"), "/operations/resume", reason=" ", status=422)
    assert "Say why" in page.text
    assert queue.paused()
    pages.ines.send(page, "/operations/resume", reason="Mended")
    assert BANNER not in pages.olivia.get("/").text
    pages.ines.post("/operations/resume", {"reason": "again", "csrf_token": pages.ines.token}, status=409)
    pages.ines.post("/operations/halt", {"reason": "x", "csrf_token": pages.ines.token}, status=404)


def test_a_copy_says_so_on_every_page_until_somebody_lets_it_go_on(pages: "Pages") -> None:
    waiting({"hours": 1})
    copies.hold_restored()
    queue.forget()
    for browser in (pages.olivia, pages.ines):
        page = browser.get("/c/customer")
        assert "A backup was restored here: nothing is sent" in page.text
        assert ("Look at what waits, and decide" in page.text) is (browser is pages.ines)
    pages.stan.post("/operations/resume", {"reason": "x", "csrf_token": pages.stan.token}, status=403)
    page = pages.ines.get("/operations")
    assert "Nobody paused it: a backup was restored" in page.text
    pages.ines.send(page, "/operations/resume", reason="The former state is gone")
    assert "nothing is sent" not in pages.olivia.get("/c/customer").text


def test_a_job_that_was_given_up_can_be_tried_again(pages: "Pages") -> None:
    number = give_up("a")
    page = pages.ines.get("/operations")
    assert "Move a run on The run" in page.text
    assert "/runs/run_x" in page.html
    pages.ines.send(page, f"/operations/jobs/{number}/retry")
    assert jobs() == [("queued", "a")]
    pages.ines.post(f"/operations/jobs/{number}/retry", {"csrf_token": pages.ines.token}, status=404)


def test_prometheus_reads_the_figures(pages: "Pages") -> None:
    give_up("a")
    answer = pages.app.test_client().get("/metrics")
    found = {family.name: family.samples[0].value for family in text_string_to_metric_families(answer.text)}
    assert (answer.status_code, found["handrail_jobs_failed"], found["handrail_paused"]) == (200, 1.0, 0.0)
    assert all(name.startswith("handrail_") for name in found)


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"X-Forwarded-For": "203.0.113.7"}, "127.0.0.1"),
        ({"Forwarded": "for=203.0.113.7"}, "127.0.0.1"),
        ({"Host": "ops.example"}, "127.0.0.1"),
        ({}, "203.0.113.7"),
        ({}, ""),
    ],
)
def test_from_elsewhere_they_need_a_key(pages: "Pages", headers: dict[str, str], address: str) -> None:
    def ask(person: str | None) -> int:
        key = (
            {
                "Authorization": f"Bearer {accounts.create_key('metrics', pages.company.people[person].id).text}"
            }
            if person
            else {}
        )
        client = pages.app.test_client()
        return client.get(
            "/metrics", headers=headers | key, environ_overrides={"REMOTE_ADDR": address}
        ).status_code

    assert [ask(person) for person in (None, "stan", "olivia", "ines")] == [401, 403, 403, 200]
