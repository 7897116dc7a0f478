"""The page Work: its groups, filters, saved views, and the same over the API."""

from typing import TYPE_CHECKING

import pytest

from console.activity import sequencing
from console.browse import saved_segments
from console.work import work_moves
from console.work.work_moves import Chosen
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
    pages.olivia.post("/work-views", token, status=404)
    pages.mona.post("/work-views", token | {"csrf_token": pages.mona.token})
    assert saved_segments.work_views(pages.company.olivia) == []


def test_a_lead_moves_several_at_once_sees_what_stayed_and_takes_it_back(pages: "Pages") -> None:
    company = pages.company
    first, hidden = company.started("1"), company.started("3")
    page = pages.mona.get("/work")
    assert page.form("/work-move")["method"] == "get"
    items = {told["value"] for told in page.with_attribute("value") if told.get("name") == "item"}
    assert {item.partition("~")[0] for item in items} == {first, hidden}
    asked = "&item=".join(["/work-move?do=reassign", *sorted(items)])
    dialog = pages.mona.get(asked)
    assert "Reassign 2 selected" in dialog.text
    assert "Choose a person." in pages.mona.send(dialog, "by=person", status=422).text
    body = {"csrf_token": pages.mona.token, "do": "reassign", "item": sorted(items), "user": company.tom.id}
    assert "Say why" in pages.mona.post("/work-move", body, status=422).text
    done = pages.mona.post("/work-move", body | {"reason": "Olivia is ill."}, status=200)
    assert "1 reassigned." in done.text
    assert "1 left as they were" in done.text
    assert company.told(first, "mona")["holder"] == company.tom.id
    back = pages.mona.send(done, "/work-undo?by=person", status=200)
    assert "1 taken back." in back.text
    assert company.told(first, "mona")["holder"] == company.olivia.id


def test_the_selected_are_handed_over_or_released(pages: "Pages") -> None:
    company = pages.company
    run = company.started("1")
    dialog = pages.mona.get(f"/work-move?do=hand_over&item={run}~{company.told(run)['revision']}")
    assert "Choose an inbox." in pages.mona.send(dialog, "by=person", status=422).text
    assert (
        "1 handed over." in pages.mona.send(dialog, "by=person", status=200, inbox="desk", reason="Look").text
    )
    assert company.told(run, "mona")["ticket"]["inbox"] == "desk"
    other = company.started("2")
    dialog = pages.mona.get(f"/work-move?do=release&item={other}~{company.told(other)['revision']}")
    assert "1 released." in pages.mona.send(dialog, "by=person", status=200, reason="For anybody").text
    assert company.told(other)["holder"] is None


def test_who_may_not_assign_has_no_boxes_and_no_dialog(pages: "Pages") -> None:
    run = pages.company.started("1")
    page = pages.olivia.get("/work")
    assert not [told for told in page.with_attribute("name") if told["name"] == "item"]
    item = f"{run}~{pages.company.told(run)['revision']}"
    for do in ("reassign", "release", "hand_over"):
        pages.olivia.get(f"/work-move?do={do}&item={item}", status=404)
        body = {"csrf_token": pages.olivia.token, "do": do, "item": item, "reason": "x", "inbox": "desk"}
        told = pages.olivia.post("/work-move", body | {"user": pages.company.tom.id}, status=200)
        assert "1 left as they were" in told.text
    pages.mona.get("/work-move?do=steal&item=run_x~1", status=400)
    pages.mona.get("/work-move?do=release&item=x", status=400)
    assert pages.company.told(run)["holder"] == pages.company.olivia.id


def test_the_last_moves_are_listed_and_taken_back_later(pages: "Pages") -> None:
    company = pages.company
    run = company.started("1")
    rows = [Chosen(run, company.told(run, "mona")["revision"])]
    work_moves.reassign(company.mona, rows, company.tom.id, "Olivia is away.")
    sequencing.catch_up()
    for browser in (pages.olivia, pages.stan, pages.ada):
        browser.get("/work-moves", status=404)
    page = pages.mona.get("/work-moves")
    assert "1 reassigned to Tom" in page.text
    assert "1 taken back." in pages.mona.send(page, "/work-undo", status=200).text
    assert company.told(run, "mona")["holder"] == company.olivia.id
