"""Home and the pages of inboxes: taking, handing on, giving."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from console.work import tickets
from console.workflows import inboxes
from tests.company import DESK
from tests.work.test_inbox import UNRATED
from tests.work.test_tickets import handed_on, saved

if TYPE_CHECKING:
    from tests.views.conftest import Pages


@pytest.fixture(autouse=True)
def _inboxes(pages: "Pages") -> None:
    inboxes.import_all([DESK, UNRATED])


def refreshed(pages: "Pages", who: str = "olivia") -> str:
    """The address with which Home asks again."""
    return next(
        str(told["hx-get"])
        for told in getattr(pages, who).get("/").with_attribute("hx-get")
        if "seen=" in told["hx-get"]
    )


def test_home_has_each_thing_with_its_way(pages: "Pages") -> None:
    run, kept = pages.company.started("1"), saved(pages.company, "4")
    handed_on(pages.company, "2")
    page = pages.olivia.get("/")
    assert {f"/runs/{run}", f"/c/customer/4?resume={kept}", "/inbox/desk", "/inbox/unrated"} <= set(
        page.links
    )
    assert [words for tag, words in page.headings if tag == "h3"] == ["Later"]
    assert "2 things wait for you" in page.text
    assert f"/runs/{run}" not in pages.olivia.get("/?show=continue").links
    assert "Nothing of this kind waits for you." in pages.olivia.get("/?show=decide").text
    pages.olivia.send(page, f"/runs/{kept}/resume")
    assert pages.company.told(kept)["holder"] == pages.company.olivia.id


def test_home_answers_204_until_something_changes(pages: "Pages") -> None:
    again = refreshed(pages)
    pages.olivia.get(again, htmx="work", status=204)
    pages.company.started("1")
    assert "Care review" in pages.olivia.get(again, htmx="work").text
    again = refreshed(pages)
    pages.olivia.get(again, htmx="work", status=204)
    saved(pages.company, "4")
    pages.olivia.get(again, htmx="work")
    assert "Home" in pages.olivia.get(again).text  # a plain GET is the page, whatever was seen


def test_the_next_ticket_is_taken_from_home(pages: "Pages") -> None:
    page = pages.olivia.get("/")
    pages.olivia.send(page, "/inbox/unrated/next")
    assert "/runs/run_" in pages.olivia.answer.headers["Location"]


def test_one_ticket_is_taken_and_who_is_slower_is_told(pages: "Pages") -> None:
    run = handed_on(pages.company)
    page = pages.tom.get("/inbox/desk")
    pages.tom.send(page, "/inbox/desk/take", ticket=run)
    assert (
        "Somebody else took this ticket"
        in pages.olivia.send(
            page, "/inbox/desk/take", status=409, ticket=run, csrf_token=pages.olivia.token
        ).text
    )


def test_handing_on_asks_for_inbox_and_reason_and_shows_where_the_run_is(pages: "Pages") -> None:
    inboxes.import_all([DESK, UNRATED])
    run = pages.company.at("note")
    assert f"/runs/{run}/escalate" in pages.olivia.get(f"/runs/{run}").links
    page = pages.olivia.get(f"/runs/{run}/escalate")
    again = pages.olivia.send(page, "/escalate", status=422, reason="  Odd ")
    assert "Choose an inbox." in again.text
    assert again.form("/escalate")["fields"]["reason"].strip() == "Odd"
    assert "Write the reason." in pages.olivia.send(page, "/escalate", status=422, inbox="desk").text
    assert (
        "There is no such inbox"
        in pages.olivia.send(page, "/escalate", status=422, inbox="absent", reason="x").text
    )
    pages.olivia.send(page, "/escalate", inbox="desk", reason="A hit", priority="high")
    shown = pages.olivia.follow().text
    assert "In the inbox “Compliance desk”" in shown
    assert "In an inbox" in shown
    assert "Next ticket" not in shown or "Unrated" in shown
    assert pages.company.told(run)["ticket"]["priority"] == "high"
    assert "waits in an inbox" in pages.tom.get("/c/customer/1").text
    assert "In an inbox" in pages.tom.get("/c/customer").text
    row = pages.tom.get("/inbox/desk").text.partition("Adaeze Okonkwo-Bell")[2].casefold()
    assert (row.count("high"), row.count("next because")) == (1, 1), "the priority is said once"


def test_a_run_is_given_to_somebody_who_could_do_it(pages: "Pages") -> None:
    run = pages.company.at("rate", "3")
    page = pages.mona.get(f"/runs/{run}/assign")
    assert "Tom May not see this record." in page.text
    assert "Olivia Has it already." in page.text
    found = pages.mona.get(f"/runs/{run}/assign?q=nobody", htmx="people")
    assert found.html.lstrip().startswith("<fieldset")
    assert "Nobody who could go on with it" in found.text
    assert "Choose a person." in pages.mona.send(page, "/assign", status=422).text
    refused = pages.mona.send(page, "/assign", status=422, user=pages.company.tom.id)
    assert "may not see this run" in refused.text
    pages.mona.send(page, "/assign", user=pages.company.mona.id, reason="Mine")
    assert pages.company.told(run)["holder"] == pages.company.mona.id
    assert "is with Mona, who has it open" in pages.olivia.get("/c/customer/3").text


def test_a_manager_gives_several_at_once_and_sees_what_could_not_be_given(pages: "Pages") -> None:
    run = tickets.take_next(pages.company.olivia, "unrated")
    page = pages.mona.get("/inbox/unrated/assign?ticket=record:1&ticket=record:3")
    assert "Assign 2 tickets of Unrated" in page.text
    assert "Choose a person." in pages.mona.send(page, "/assign", status=422).text
    body = {"csrf_token": pages.mona.token, "user": pages.company.tom.id, "ticket": ["record:1", "record:3"]}
    told = pages.mona.post("/inbox/unrated/assign", body, status=409)
    assert "1 left as they were" in told.text
    backlog = pages.mona.get("/inbox/unrated?view=backlog")
    assert {"With Olivia", "With Tom"} <= set(re.findall(r"With \w+", backlog.text))
    pages.mona.post("/inbox/unrated/unassign", {"csrf_token": pages.mona.token, "ticket": [run]})
    assert pages.company.told(run)["holder"] is None
    assert (
        "Choose 1 to 100 tickets."
        in pages.mona.post("/inbox/unrated/unassign", {"csrf_token": pages.mona.token}, status=422).text
    )
    assert "Choose one or more tickets first." in pages.mona.get("/inbox/unrated/assign").text


def test_a_ticket_is_snoozed_until_a_day_with_a_reason(pages: "Pages") -> None:
    run = handed_on(pages.company)
    assert f"/inbox/desk/snooze?ticket={run}" in pages.olivia.get("/inbox/desk").links
    page = pages.olivia.get(f"/inbox/desk/snooze?ticket={run}")
    for typed in ({"reason": "x"}, {"until": "soon", "reason": "x"}, {"until": "2020-01-01", "reason": "x"}):
        pages.olivia.send(page, "/snooze", status=422, **typed)
    until = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    assert "Say why" in pages.olivia.send(page, "/snooze", status=422, until=until).text
    pages.olivia.send(page, "/snooze", until=until, reason="The bank is closed.")
    assert f"/inbox/desk/snooze?ticket={run}" not in pages.olivia.follow().links
    pages.stan.get(f"/inbox/desk/snooze?ticket={run}", status=404)
