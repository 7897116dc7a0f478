"""What happened over all workflows: each figure leads to a list of exactly those, for each reader of what they may see, in a bounded number of statements."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import sqlalchemy as sa

from console import log, monitoring, runs, workflows
from console.activity import sequencing
from console.auth import accounts
from console.infra.db import tables
from console.infra.db.engine import fetch, hot_engine
from console.runs.views import record_reach
from tests.company import DOCUMENT, STEPS, Company
from tests.messaging.messages import reached
from tests.messaging.messages.reached import ANA, NOON, begin, workflow
from tests.support.engine import step, until, workers
from tests.support.failing import failed

if TYPE_CHECKING:
    from tests.views.conftest import Browser, Pages

pytestmark = pytest.mark.slow

LATELY = "/workflows/lately"
SMS = {"id": "sms", "type": "sms", "config": {"text": "Hello {{ record.name }}"}}
ROBOT = "robot@fernwick.test"
FIGURE = re.compile(r'<td[^>]*data-l="([^"]+)"[^>]*>\s*<a[^>]*href="([^"]+)"[^>]*>\s*([^<]+)<span')


def figures(browser: "Browser", since: str = "hour") -> list[tuple[str, str, int]]:
    """(column, address, number) of each figure on the page."""
    html = browser.get(f"{LATELY}?since={since}").html
    return [
        (label, href.replace("&amp;", "&"), int(number))
        for label, href, number in FIGURE.findall(html)
        if number.isdecimal()
    ]


def rows(browser: "Browser", address: str) -> int:
    """How many lines the list at the address has."""
    return browser.get(address).html.partition("<tbody")[2].partition("</tbody>")[0].count("<tr")


@contextmanager
def said() -> Iterator[list[str]]:
    """The statements that our database is asked meanwhile, by this process and by way of a cursor."""
    found: list[str] = []
    execute = psycopg.Cursor.execute

    def noting(self: Any, query: Any, *given: Any, **more: Any) -> Any:
        found.append(str(query))
        return execute(self, query, *given, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", noting)
        yield found


def test_each_figure_leads_to_exactly_those_and_what_waits_for_a_person_stands_above(
    pages: "Pages", company: Company
) -> None:
    reached.founded(company)
    with reached.clock(NOON):
        begin(company, workflow("hello", [dict(SMS)]))
        begin(company, "hello", ANA)  # no telephone number
        company.finished("2")
        company.started("3")
        runs.abort(company.olivia, company.started("1"), revision=None, reason="Wrong file")
        failed(company)
        sequencing.catch_up()
        monitoring.read_log()
        shown = figures(pages.olivia)
        found = {(label, number) for label, _, number in shown}
        assert {
            ("Started", 2),
            ("Completed", 2),
            ("Started", 3),
            ("Completed", 1),
            ("Ended early", 1),
            ("Failed", 1),
            ("Sent", 1),
            ("Not sent", 1),
        } <= found
        for label, address, number in shown:
            assert rows(pages.olivia, address) == number, (label, address)
        page = pages.olivia.get(LATELY)
        assert "1 failed, neither done again nor set aside" in page.text
        assert "/workflows/reminding/incidents" in page.links
        assert "There is no address or number (1)" in page.text
        assert (
            "Ended from "
            in pages.olivia.get(next(href for label, href, _ in shown if label == "Completed")).text
        )
        assert len(figures(pages.olivia, "nonsense")) == len(
            figures(pages.olivia, "night")
        )  # an unknown time is the usual one


def test_a_firing_that_started_nothing_is_counted_with_its_reason_and_listed(
    pages: "Pages", company: Company
) -> None:
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    end = step("end", "end", None)
    head = {
        "format": 1,
        "team": "operations",
        "run_as": ROBOT,
        "settings": {"exclusive": False},
        "steps": [step("start", "start", "end"), end],
    }
    again = {
        "id": "again",
        "kind": "event",
        "on": "run.completed",
        "filter": "event.workflow in ['feeds-itself', 'spark']",
    }
    workflows.import_file(
        head | {"slug": "feeds-itself", "title": "Feeds itself", "triggers": [again]}, publish=True
    )
    workflows.import_file(head | {"slug": "spark", "title": "Spark", "triggers": []}, publish=True)
    with workers():
        runs.start(company.mona, "spark", None, None)
        assert until(lambda: fetch("select 1 from console.firing where status = 'stopped'"))
    [(_, address, number)] = [each for each in figures(pages.mona) if each[0] == "Not started"]
    assert (number, rows(pages.mona, address)) == (1, 1)
    assert "for ever" in pages.mona.get(f"{LATELY}?since=hour").text
    listed = pages.mona.get(address).text
    assert "Stopped" in listed
    assert "for ever" in listed
    assert rows(pages.mona, "/workflows/feeds-itself/firings") == 2
    assert " to now." in pages.mona.get("/workflows/feeds-itself/firings").text
    assert rows(pages.mona, "/workflows/feeds-itself/firings?state=started") == 1
    pages.mona.get("/workflows/feeds-itself/firings?state=odd", status=400)
    pages.stan.get(address, status=404)
    assert "Feeds itself" not in pages.stan.get(LATELY).text
    workflows.import_file(
        head | {"slug": "feeds-itself", "title": "Feeds itself", "triggers": []}, publish=True
    )
    [(_, address, number)] = [each for each in figures(pages.mona) if each[0] == "Not started"]
    assert (number, rows(pages.mona, address)) == (1, 1), "of a trigger that was removed, too"
    assert "A trigger that is gone" in pages.mona.get(address).text


def test_who_sees_a_part_of_the_records_is_told_of_that_part(pages: "Pages", company: Company) -> None:
    for key in ("1", "2"):
        company.finished(key)
    whole = {(label, number) for label, _, number in figures(pages.mona)}
    assert ("Completed", 2) in whole
    for label, address, number in figures(pages.tom):
        assert rows(pages.tom, address) == number, (label, address)
    assert figures(pages.stan) == []
    assert "No workflow that you may see" in pages.stan.get(LATELY).text


def test_runs_of_a_part_are_looked_up_by_hash_and_never_compared_with_each_other(company: Company) -> None:
    """Twenty thousand runs that count, compared one by one with each run of a week, took minutes."""
    company.finished("1")
    with hot_engine().connect() as connection:
        counted = sa.select(tables.run.c.id).where(
            record_reach.countable_runs(company.tom, ~tables.run.c.test)
        )
        compiled = counted.compile(connection, compile_kwargs={"render_postcompile": True})
        plan = connection.exec_driver_sql(f"explain {compiled}", compiled.params).scalars().all()
    assert any("hashed SubPlan" in line for line in plan), plan


def test_the_page_asks_as_much_for_twenty_workflows_as_for_two(pages: "Pages", company: Company) -> None:
    def once() -> int:
        with said() as statements:
            pages.mona.get(LATELY)
        return len(statements)

    def asked() -> int:
        return min(once() for _ in range(6))  # what is known for a second is read again in some of them

    company.finished("1")
    before = asked()
    for number in range(20):
        workflows.import_file(
            DOCUMENT | {"slug": f"more-{number}", "title": f"More {number}", "steps": STEPS}, publish=True
        )
        runs.start(company.olivia, f"more-{number}", "customer", "2", {"why": "event"})
    assert asked() <= before
    with said() as statements:
        monitoring.recent_activity.happened(
            company.mona,
            [known.id for known in workflows.all_known()],
            log.now() - timedelta(days=7),
            log.now(),
        )
    assert len([each for each in statements if "console.version" not in each]) == 3, (
        "once a second somebody asks whether the rights are still the same"
    )
