"""Pages where something is broken or a right was taken away, without a word of SQL."""

import os
import re
from typing import TYPE_CHECKING

import psycopg
import pytest

from console.auth import access
from tests.views.conftest import Page

if TYPE_CHECKING:
    from tests.views.conftest import Pages

INNER = (
    "Traceback",
    "sqlalchemy",
    "psycopg",
    "sqlite",
    "select ",
    "SELECT ",
    "UndefinedTable",
    "no such table",
    "OperationalError",
    "/console/",
    "password",
    'relation "',
)
REQUEST = r"Request ([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})\."


def told(page: Page, pages: "Pages", who: str = "olivia") -> list[str]:
    """What is wrong with an error page: its number is missing or another one, or it tells what is nobody's business."""
    found = re.search(REQUEST, page.text)
    wrong = [] if found and found[1] == getattr(pages, who).answer.headers["X-Request-Id"] else ["no number"]
    shown = re.sub(r"(href|src)=\"[^\"]*\"", "", page.html)
    return wrong + [word for word in INNER if word in shown]


# -- nothing there


# -- something broken


def test_a_source_without_its_table_is_told_of_on_every_page_that_needs_it(pages: "Pages") -> None:
    run = pages.company.at("rate")
    pages.olivia.get(f"/runs/{run}")
    pages.company.sql("alter table customer rename to elsewhere")
    wrong: list[tuple[str | None, ...]] = []
    for path in (
        "/c/customer",
        "/c/customer/1",
        "/c/customer/1/menu",
        "/c/customer/1/edit/email",
        "/c/customer/1/start/care-review",
        "/c/customer?q=x",
    ):
        for htmx in (None, "list"):
            page = pages.olivia.get(path, htmx=htmx, status=503)
            wrong += [(path, htmx, fault) for fault in told(page, pages)]
            wrong += [] if "Try again" in page.text and "Go to Home" in page.text else [(path, "no way on")]
    for path in (f"/runs/{run}", "/", "/c", f"/runs/{run}/replay"):
        page = pages.olivia.get(path)
        wrong += [
            (path, word)
            for word in INNER
            if word in re.sub(r"(href|src)=\"[^\"]*\"", "", page.html) and word != "select "
        ]
    assert wrong == []
    assert "The database has changed" in pages.olivia.get(f"/runs/{run}").text
    pages.company.sql("alter table elsewhere rename to customer")
    assert "The database has changed" not in pages.olivia.get(f"/runs/{run}").text


def test_a_change_while_the_source_is_away_keeps_what_was_typed(pages: "Pages") -> None:
    form = pages.olivia.get("/c/customer/1/edit/email")
    run = pages.company.at("rate")
    step = pages.olivia.get(f"/runs/{run}")
    pages.company.sql("alter table customer rename to elsewhere")
    pages.olivia.send(form, "/edit/email", status=503, v_email="typed@customers.example")
    answer = pages.olivia.client.post(
        f"/runs/{run}/complete", data=step.form("/complete")["fields"] | {"v.risk": "high"}
    )
    assert answer.status_code in (303, 409, 503)
    pages.company.sql("alter table elsewhere rename to customer")
    assert pages.company.told(run)["status"] in ("waiting_person", "waiting_event")
    assert (
        pages.company.sql("select email, risk from customer where id = 1")[0][0] == "adaeze@customers.example"
    )


def test_a_record_that_is_gone_is_said_on_its_run(pages: "Pages") -> None:
    run = pages.company.at("rate", "2")
    pages.company.sql("delete from customer where id = 2")
    page = pages.olivia.get("/c/customer/2", status=404)
    assert told(page, pages) == []
    shown = pages.olivia.client.get(f"/runs/{run}")
    assert shown.status_code in (200, 404)
    assert "Traceback" not in shown.text


@pytest.mark.parametrize("table", ["run", "collection", "workflow_version"])
def test_a_console_that_is_broken_itself_says_sorry_without_a_word_of_sql(pages: "Pages", table: str) -> None:
    run = pages.company.at("note")
    with psycopg.connect(os.environ["DATABASE_MIGRATION_URL"], autocommit=True) as own:
        own.execute(f"alter table console.{table} rename to broken")
        wrong = []
        for path in ("/", "/c", "/c/customer", "/c/customer/1", f"/runs/{run}", f"/runs/{run}/replay"):
            for headers in ({}, {"HX-Request": "true"}):
                answer = pages.olivia.answer = pages.olivia.client.get(path, headers=headers)
                if answer.status_code >= 400:
                    assert answer.status_code in (500, 503, 404), path
                    wrong += [(path, fault) for fault in told(Page(answer.text), pages)]
        own.execute(f"alter table console.broken rename to {table}")
    assert wrong == []
    assert pages.olivia.get("/c/customer")


# -- a right that is missing


def test_a_right_that_is_taken_away_is_gone_from_the_next_page_on(pages: "Pages") -> None:
    run = pages.company.at("note", by="tom")
    assert "/c/customer/2/edit/email" in pages.tom.get("/c/customer/2?tab=details").links
    access.assign(pages.company.tom.id, [])
    pages.tom.get("/c/customer/2", status=404)
    pages.tom.get(f"/runs/{run}", status=404)
    assert "Customers" not in pages.tom.get("/c").text
    assert f"/runs/{run}" not in pages.tom.get("/").links
