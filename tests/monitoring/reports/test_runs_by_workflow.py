"""Runs by workflow: counted for who hands out the work, and for nobody else."""

import csv
import io
import re

import pytest
import sqlalchemy as sa

from console import runs
from console.core.actor import Actor
from console.infra.db.engine import transaction
from console.monitoring.reports import tables
from tests.company import Company
from tests.conftest import web_app
from tests.views.conftest import Pages

PATHS = ("/reports/runs-by-workflow", "/reports/runs-by-workflow.csv")


@pytest.fixture
def pages(company: Company) -> Pages:
    return Pages(company, web_app())


def counted(company: Company, by: str = "mona", days: int = 30) -> list[tuple[object, ...]]:
    report = tables.get(company.people[by], "runs-by-workflow")
    return [tuple(row) for row in report.rows(company.people[by], days)]


def test_runs_are_counted_by_what_became_of_them(company: Company) -> None:
    assert counted(company) == []
    company.started("1")
    gone = company.started("2")
    runs.abort(company.olivia, gone, revision=None, reason="Not needed")
    company.started("4")
    ((title, begun, completed, otherwise, still, took),) = counted(company)
    assert (title, begun, completed, otherwise, still, took) == (
        tables.Link("Care review", "/workflows/care-review/metrics"),
        3,
        0,
        1,
        2,
        None,
    )
    with transaction() as connection:  # as the item of a loop is
        connection.execute(sa.text("update console.run set fork = to_jsonb(id) where id = :id"), {"id": gone})
    assert counted(company)[0][1:4] == (2, 0, 0)


def test_the_page_and_the_file_say_the_same(company: Company, pages: Pages) -> None:
    company.started("1")
    page = pages.mona.get("/reports")
    assert "/reports/runs-by-workflow" in page.links
    page = pages.mona.get(PATHS[0] + "?days=7")
    assert ("h1", "Runs by workflow") in page.headings
    assert PATHS[1] + "?days=7" in page.links
    assert re.search(r"Care review\s*1\s*0\s*0\s*1\s*–", page.text)
    pages.mona.get(PATHS[1])
    assert pages.mona.answer.headers["Content-Disposition"] == 'attachment; filename="runs-by-workflow.csv"'
    head, line = csv.reader(io.StringIO(pages.mona.answer.text))
    assert head[-1] == "Half were completed within (seconds)"
    assert line == ["Care review", "1", "0", "0", "1", ""]


@pytest.mark.parametrize("who", ["olivia", "stan"])
def test_who_hands_out_no_work_reads_no_report_and_finds_no_link(pages: Pages, who: str) -> None:
    browser = getattr(pages, who)
    for path in PATHS:
        browser.get(path, status=404)
    assert not set(PATHS) & set(browser.get("/").links)


class Silent(tables.TableReport):
    """A report that says nothing of who may read it."""

    def rows(self, actor: Actor, days: int) -> list[tuple[tables.Cell, ...]]:
        """One line."""
        return [(actor.id, days)]


def test_each_report_is_closed_unless_it_says_otherwise(company: Company) -> None:
    assert not Silent().may_read(company.ines)
    for name, report in tables.all_reports().items():
        assert report.title, name
        assert not report.gist.endswith("."), f"{name}: the gist is a phrase without a full stop"
        assert not report.may_read(Actor("user", "usr_nobody")), (
            f"{name}: somebody without any right may read it"
        )
