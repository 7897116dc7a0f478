"""The page Work: its groups, filters, saved views, and the same over the API."""

from typing import TYPE_CHECKING

import pytest

from console.browse import saved_segments
from console.workflows import inboxes
from tests.company import DESK
from tests.work.test_tickets import handed_on, saved

if TYPE_CHECKING:
    from tests.views.conftest import Pages


@pytest.fixture(autouse=True)
def _inboxes(pages: "Pages") -> None:
    inboxes.import_all([DESK])


def test_who_has_what_is_grouped_and_each_number_leads_to_its_list(pages: "Pages") -> None:
    run, ticket = pages.company.started("1"), handed_on(pages.company, "2")
    kept = saved(pages.company, "4", "tom")
    page = pages.mona.get("/work")
    assert "Unassigned 2" in page.text
    assert "Olivia 1" in page.text
    assert {f"/runs/{each}" for each in (run, ticket, kept)} <= set(page.links)
    mine = pages.mona.get(f"/work?person={pages.company.olivia.id}")
    assert [link for link in mine.links if link.startswith("/runs/")] == [f"/runs/{run}"]
    assert "1 of 1" in mine.text
    by_state = pages.mona.get("/work?by=state&person=none")
    assert "In an inbox 1" in by_state.text
    assert "To Continue 1" in by_state.text
    assert "Unassigned" in by_state.text
    assert "No due time 3" in pages.mona.get("/work?by=due").text
    assert "No work fits these filters." in pages.mona.get("/work?kind=task").text


def test_an_unknown_filter_is_refused_by_the_page(pages: "Pages") -> None:
    for address in ("/work?by=colour", "/work?state=odd", "/work?colour=red", "/work?after=x"):
        pages.mona.get(address, status=400)


def test_a_reader_of_another_team_gets_nothing(pages: "Pages") -> None:
    run = pages.company.started("1")
    page = pages.stan.get("/work")
    assert f"/runs/{run}" not in page.links
    assert "Your teams have no work." in page.text


def test_a_saved_view_is_a_tab_for_those_it_was_made_for(pages: "Pages") -> None:
    pages.company.started("1")
    page = pages.mona.get("/work?by=state&state=saved")
    wrong = pages.mona.send(page, "by=state", status=422, label=" ")
    assert "1 to 60 characters" in wrong.text
    pages.mona.send(page, "by=state", label="Put down", audience="team:operations")
    assert "Put down" in pages.mona.follow().text
    (view,) = saved_segments.work_views(pages.company.olivia)
    assert dict(view.query) == {"state": "saved", "by": "state"}
    opened = pages.olivia.get("/work")
    assert f"/work?state=saved&by=state&view={view.id}" in opened.links
    assert "Put down" not in pages.stan.get("/work").text
    token = {"csrf_token": pages.olivia.token, "do": "remove", "view": view.id}
    pages.olivia.post("/work/views", token, status=404)
    pages.mona.post("/work/views", token | {"csrf_token": pages.mona.token})
    assert saved_segments.work_views(pages.company.olivia) == []
