"""Pages over a data source that another program has locked: they wait once, say so, and are whole again with the next request."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from console.records import connect, connection_terms
from tests.company import Company
from tests.views.conftest import Pages


@contextmanager
def held(company: Company) -> Iterator[None]:
    """The whole file, as a program does that rewrites it."""
    with closing(sqlite3.connect(company.path, isolation_level=None)) as other:
        other.execute("begin exclusive")
        yield
        other.execute("rollback")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, company: Company) -> Iterator[None]:
    """It waits for 50 ms in place of three seconds."""
    assert company.people
    monkeypatch.setattr(connection_terms, "LOCK_S", 0.05)
    connect.dispose()
    yield
    connect.dispose()


def waits(caplog: pytest.LogCaptureFixture) -> int:
    """How often the source was asked in vain since the last look."""
    count = sum("data source company: OperationalError" in record.getMessage() for record in caplog.records)
    caplog.clear()
    return count


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/work",
        "/approvals",
        "/search?q=okonkwo",
        "/workflows/care-review/executions",
        "/c/customer/1",
        "/c",
    ],
)
def test_a_page_waits_once_however_much_of_it_comes_from_the_source(
    company: Company, pages: Pages, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    for record in ("1", "2", "4"):
        company.started(record)
    before = pages.olivia.client.get(path)
    assert before.status_code == 200
    waits(caplog)
    with held(company):
        during = pages.olivia.client.get(path)
        assert waits(caplog) <= 1
    assert during.status_code in (200, 503)
    assert "Traceback" not in during.text
    after = pages.olivia.client.get(path)
    assert (after.status_code, waits(caplog)) == (200, 0)
    assert ("Okonkwo" in after.text) == ("Okonkwo" in before.text), "nothing of the wait is kept"


def test_the_next_request_asks_again_and_is_told_again(
    company: Company, pages: Pages, caplog: pytest.LogCaptureFixture
) -> None:
    with held(company):
        for _ in range(2):
            answer = pages.olivia.client.get("/c/customer")
            assert (answer.status_code, waits(caplog)) == (503, 1)
            assert (
                "The data source company has locked this for another program. Try again in a moment."
                in answer.text
            )
    assert pages.olivia.client.get("/c/customer").status_code == 200


def test_what_was_typed_is_kept_while_the_source_is_locked_and_saved_when_it_is_free(
    company: Company, pages: Pages
) -> None:
    """Nothing is acknowledged that was not done."""
    run_id = company.at("note")
    page = pages.olivia.get(f"/runs/{run_id}")
    with held(company):
        refused = pages.olivia.send(page, "/complete", status=503, v_note="Heard from her today")
        assert 'value="Heard from her today"' in pages.olivia.answer.text
    assert company.told(run_id)["current"]["step"] == "note"
    again = next(form for form in refused.forms if f"/runs/{run_id}/complete" in form["action"])
    pages.olivia.post(again["action"], again["fields"])
    assert company.told(run_id)["current"]["step"] != "note"
    assert "Heard from her today" in str(company.told(run_id))


def test_work_without_a_request_asks_each_time(
    company: Company, pages: Pages, caplog: pytest.LogCaptureFixture
) -> None:
    """A page that has waited leaves nothing in the thread for the jobs that come after it."""
    with held(company):
        pages.olivia.client.get("/c/customer")
        waits(caplog)
        for _ in range(2):
            with pytest.raises(Exception, match="locked this for another program"):
                company.started("2")
        assert waits(caplog) == 2
    assert company.told(company.started("2"))["status"] == "waiting_person"
