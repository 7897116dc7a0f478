"""Work by person: counted for who hands out the work, of the runs that they may see, and for nobody else."""

import re
from datetime import datetime, timedelta

import pytest

from console.monitoring.reports import tables
from tests.company import Company
from tests.conftest import web_app
from tests.views.conftest import Pages

PATHS = ("/reports/work-by-person", "/reports/work-by-person.csv")


@pytest.fixture
def pages(company: Company) -> Pages:
    return Pages(company, web_app())


def counted(company: Company, by: str = "mona", days: int = 30) -> list[tuple[object, ...]]:
    return [
        tuple(row) for row in tables.get(company.people[by], "work-by-person").rows(company.people[by], days)
    ]


def test_who_did_what_and_who_holds_what(company: Company, pages: Pages) -> None:
    assert counted(company) == []
    company.started("1")
    page = pages.olivia.get(f"/runs/{company.started('2')}")
    pages.olivia.send(page, "/complete")
    page = pages.olivia.follow()
    pages.olivia.send(page, "/complete", v_note="x")
    ((name, done, of_runs, again, manually, took, held, since),) = counted(company)
    assert (name, of_runs, again, manually, held) == ("Olivia", 1, 0, 0, 2)
    assert done == 2, "the steps that a person completed: not the start, and none that was done by itself"
    assert isinstance(took, timedelta)
    assert isinstance(since, datetime)
    page = pages.mona.get(PATHS[0] + "?days=7")
    assert re.search(rf"Olivia\s*{done}\s*1\s*0\s*0", page.text)


@pytest.mark.parametrize("who", ["olivia", "stan"])
def test_who_hands_out_no_work_reads_nothing_of_others(pages: Pages, who: str) -> None:
    browser = getattr(pages, who)
    for path in PATHS:
        browser.get(path, status=404)
    assert not set(PATHS) & set(browser.get("/").links)
