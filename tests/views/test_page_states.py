"""Pages where there is nothing, where something is broken, and where a right is missing: what they say, and what they do not say."""

import os
import re
from typing import TYPE_CHECKING

import psycopg
import pytest

from console import access, runs
from console.activity import sequencing
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


@pytest.mark.parametrize(
    ("statement", "path", "words", "leads"),
    [
        ("delete from account", "/c/account", "This collection has no record that you may see.", None),
        ("delete from account", "/c/customer/1/related/account", "There are none.", None),
        ("select 1", "/c/customer?q=nobody", "Nothing here fits what you search for.", "/c/customer"),
        ("update customer set risk = 'low'", "/c/customer?segment=unrated", "No record is in “Unrated” at the moment.", "/c/customer"),
        ("select 1", "/c/customer/1", "No workflow has run on this record yet.", None),
        ("select 1", "/", "Nothing waits for you.", "/c"),
        ("select 1", "/", "Nothing ended yet.", "/inbox"),
        ("select 1", "/c/customer?q=nobody&filter=%7B%22field%22%3A%22risk%22%2C%22op%22%3A%22eq%22%2C%22value%22%3A%22low%22%7D", "Clear search and filters", "/c/customer"),
    ],
)  # fmt: skip
def test_where_there_is_nothing_one_sentence_says_why(pages: "Pages", statement: str, path: str, words: str, leads: str | None) -> None:
    pages.company.sql("delete from account" if "account" in statement else "select 1")
    pages.company.sql(statement)
    for htmx in (None, "list", "elsewhere"):
        page = pages.olivia.get(path, htmx=htmx)
        assert words in page.text, htmx
        assert leads is None or leads in page.links


def test_an_empty_log_says_so_and_offers_to_clear_the_filters(pages: "Pages") -> None:
    for htmx in (None, "log"):
        page = pages.ada.get("/activity?kind=run_completed", htmx=htmx)
        assert "No event fits these filters." in page.text
        assert "/activity" in page.links


def test_a_record_without_a_value_shows_a_dash_that_is_read_out(pages: "Pages") -> None:
    pages.company.sql("update customer set email = null where id = 1")
    assert "– empty" in pages.olivia.get("/c/customer/1").text


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
        wrong += [(path, word) for word in INNER if word in re.sub(r"(href|src)=\"[^\"]*\"", "", page.html) and word != "select "]
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
    answer = pages.olivia.client.post(f"/runs/{run}/complete", data=step.form("/complete")["fields"] | {"v.risk": "high"})
    assert answer.status_code in (303, 409, 503)
    pages.company.sql("alter table elsewhere rename to customer")
    assert pages.company.told(run)["status"] in ("waiting_person", "waiting_event")
    assert pages.company.sql("select email, risk from customer where id = 1")[0][0] == "adaeze@customers.example"


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


@pytest.mark.parametrize(
    ("who", "path", "status", "words"),
    [
        ("olivia", "/activity", 403, "You may not read the activity log"),
        ("stan", "/c/customer", 404, "outside what you may see"),
        ("tom", "/c/customer/3", 404, "outside what you may see"),
        ("olivia", "/c/customer/999", 404, "outside what you may see"),
        ("olivia", "/nowhere", 404, "outside what you may see"),
        ("olivia", "/runs/run_nothing", 404, "outside what you may see"),
        ("olivia", "/c/customer/1/edit/id", 404, "outside what you may see"),
        ("olivia", "/c/customer/1/start/nothing", 404, "There is no such workflow for this record"),
        ("olivia", "/runs/run_nothing/replay?at=x", 404, "This run has no such event."),
    ],
)
def test_every_error_page_says_what_happened_what_to_do_and_its_number(
    pages: "Pages", who: str, path: str, status: int, words: str
) -> None:
    for htmx in (None, "elsewhere"):
        page = getattr(pages, who).get(path, htmx=htmx, status=status)
        assert words in page.text
        assert "/" in page.links
        assert told(page, pages, who) == []
        assert ("<html" in page.html) is (htmx is None)


# -- a right that is missing


def test_a_right_that_is_taken_away_is_gone_from_the_next_page_on(pages: "Pages") -> None:
    run = pages.company.at("note", by="tom")
    assert "/c/customer/2/edit/email" in pages.tom.get("/c/customer/2?tab=details").links
    access.assign(pages.company.tom.id, [])
    pages.tom.get("/c/customer/2", status=404)
    pages.tom.get(f"/runs/{run}", status=404)
    assert "Customers" not in pages.tom.get("/c").text
    assert f"/runs/{run}" not in pages.tom.get("/").links


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("olivia", {"edit", "start"}),
        ("mona", {"edit", "start"}),
        ("rosa", set()),
    ],
)
def test_a_page_offers_only_what_may_be_done(pages: "Pages", who: str, may: set[str]) -> None:
    page = getattr(pages, who).get("/c/customer/2?tab=details")
    offered = {word for word in ("edit", "start") if any(f"/c/customer/2/{word}/" in link for link in page.links)}
    assert offered == may


def test_a_saved_run_may_be_looked_at_by_those_who_may_not_resume_it(pages: "Pages") -> None:
    run = pages.company.at("note")
    runs.save(pages.company.olivia, run, revision=pages.company.told(run)["revision"])
    page = pages.rosa.get(f"/runs/{run}")
    assert "Resuming needs a right that you do not have here." in page.text
    assert not [form for form in page.forms if form["method"] == "post"]
    assert f"/runs/{run}/replay" in page.links
    assert "Resume goes on with this step" in pages.tom.get(f"/runs/{run}").text


def test_refusals_stand_in_the_log_under_the_name_of_who_was_refused(pages: "Pages") -> None:
    pages.olivia.get("/activity", status=403)
    sequencing.catch_up()
    assert "Olivia was refused “read” on the activity log" in pages.ada.get("/activity?kind=access_refused").text
