"""Home and the pages of inboxes: what they show to whom, taking, handing on, giving."""

import re
from typing import TYPE_CHECKING

import pytest

from console import inboxes, runs, sources
from console.errors import DefinitionError
from console.work import tickets
from tests.company import DESK, DOCUMENTS
from tests.runs.changing.test_midway import away
from tests.work.test_inbox import UNRATED
from tests.work.test_tickets import handed_on, saved

if TYPE_CHECKING:
    from tests.views.conftest import Pages


@pytest.fixture(autouse=True)
def _inboxes(pages: "Pages") -> None:
    inboxes.import_all([DESK, UNRATED])


def refreshed(pages: "Pages", who: str = "olivia") -> str:
    """The address with which Home asks again."""
    return next(str(told["hx-get"]) for told in getattr(pages, who).get("/").with_attribute("hx-get") if "seen=" in told["hx-get"])


def test_home_has_each_thing_with_its_way(pages: "Pages") -> None:
    run, kept = pages.company.started("1"), saved(pages.company, "4")
    handed_on(pages.company, "2")
    page = pages.olivia.get("/")
    assert {f"/runs/{run}", f"/c/customer/4?resume={kept}", "/inbox/desk", "/inbox/unrated"} <= set(page.links)
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


def test_a_due_day_needs_a_field_of_the_collection() -> None:
    with pytest.raises(DefinitionError, match="source.due"):
        inboxes.import_all([UNRATED | {"source": UNRATED["source"] | {"due": {"field": "no_such_field", "days": 3}}}])


def test_empty_states_say_what_to_do_next(pages: "Pages") -> None:
    assert "Nothing waits for you." in pages.olivia.get("/").text
    assert "Inboxes" not in pages.stan.get("/").text
    assert "You work in no inbox." in pages.stan.get("/inbox").text
    assert "/inbox" not in pages.stan.get("/").links
    assert "Nothing is left to take here." in pages.olivia.get("/inbox/desk").text
    assert "You have no ticket of this inbox in hand." in pages.olivia.get("/inbox/desk?view=doing").text
    assert "Nobody has a ticket of this inbox in hand." in pages.mona.get("/inbox/desk?view=backlog").text


def test_the_next_ticket_is_taken_from_home(pages: "Pages") -> None:
    page = pages.olivia.get("/")
    pages.olivia.send(page, "/inbox/unrated/next")
    assert "/runs/run_" in pages.olivia.answer.headers["Location"]


def test_the_list_is_in_the_order_of_taking_with_why_and_since_when(pages: "Pages") -> None:
    handed_on(pages.company, "1", "low")
    handed_on(pages.company, "2", "urgent")
    page = pages.olivia.get("/inbox/desk")
    assert page.text.index("Tore Lindqvist") < page.text.index("Adaeze")
    assert "Olivia: Please look" in page.text
    assert {"Urgent", "Low"} <= set(page.text.split())
    records = pages.olivia.get("/inbox/unrated").text
    assert "Customer display name" in records or "Display name: Halcyon" in records
    assert "<script>alert(1)" not in pages.olivia.get("/inbox/unrated").html


def test_next_opens_a_run_and_says_when_there_is_none(pages: "Pages") -> None:
    run = handed_on(pages.company)
    page = pages.tom.get("/inbox/desk")
    pages.tom.send(page, "/inbox/desk/next")
    assert pages.tom.answer.headers["Location"] == f"/runs/{run}"
    pages.tom.send(page, "/inbox/desk/next")
    assert pages.tom.answer.headers["Location"] == "/inbox/desk"
    assert "Nothing is left to take here." in pages.tom.follow().text


def test_one_ticket_is_taken_and_who_is_slower_is_told(pages: "Pages") -> None:
    run = handed_on(pages.company)
    page = pages.tom.get("/inbox/desk")
    pages.tom.send(page, "/inbox/desk/take", ticket=run)
    assert (
        "Somebody else took this ticket"
        in pages.olivia.send(page, "/inbox/desk/take", status=409, ticket=run, csrf_token=pages.olivia.token).text
    )


def test_after_completing_the_next_ticket_is_one_key_away(pages: "Pages") -> None:
    run = tickets.take_next(pages.company.olivia, "unrated")
    assert "Next ticket" not in pages.olivia.get(f"/runs/{run}").text
    while pages.company.told(run)["current"]:
        pages.company.answer(run)
    page = pages.olivia.get(f"/runs/{run}")
    assert "Next ticket" in page.text
    assert "n" in [told["data-key"] for told in page.with_attribute("data-key")]
    pages.olivia.send(page, "/inbox/unrated/next")
    assert pages.olivia.answer.headers["Location"] != f"/runs/{run}"
    assert "Next ticket" not in pages.tom.get(f"/runs/{run}").text  # he has done nothing in it
    assert "Next ticket" not in pages.rosa.get(f"/runs/{run}").text


def test_handing_on_asks_for_inbox_and_reason_and_shows_where_the_run_is(pages: "Pages") -> None:
    inboxes.import_all([DESK, UNRATED])
    run = pages.company.at("note")
    assert f"/runs/{run}/escalate" in pages.olivia.get(f"/runs/{run}").links
    page = pages.olivia.get(f"/runs/{run}/escalate")
    again = pages.olivia.send(page, "/escalate", status=422, reason="  Odd ")
    assert "Choose an inbox." in again.text
    assert again.form("/escalate")["fields"]["reason"].strip() == "Odd"
    assert "Write the reason." in pages.olivia.send(page, "/escalate", status=422, inbox="desk").text
    assert "There is no such inbox" in pages.olivia.send(page, "/escalate", status=422, inbox="absent", reason="x").text
    pages.olivia.send(page, "/escalate", inbox="desk", reason="A hit", priority="high")
    shown = pages.olivia.follow().text
    assert "In the inbox “Compliance desk”" in shown
    assert "In an inbox" in shown
    assert "Next ticket" not in shown or "Unrated" in shown
    assert pages.company.told(run)["ticket"]["priority"] == "high"
    assert "waits in an inbox" in pages.tom.get("/c/customer/1").text
    assert "In an inbox" in pages.tom.get("/c/customer").text


def test_handing_on_what_moved_on_says_so(pages: "Pages") -> None:
    run = pages.company.at("note")
    page = pages.olivia.get(f"/runs/{run}/escalate")
    runs.release(pages.company.olivia, run, revision=None)
    assert pages.company.told(run)["holder"] is None
    assert pages.olivia.send(page, "/escalate", status=409, inbox="desk", reason="x").text


def test_a_run_is_given_to_somebody_who_could_do_it(pages: "Pages") -> None:
    run = pages.company.at("rate", "3")
    page = pages.mona.get(f"/runs/{run}/assign")
    assert "Tom May not see this record." in page.text
    assert "Olivia Has it in hand already." in page.text
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
    assert "Choose 1 to 100 tickets." in pages.mona.post("/inbox/unrated/unassign", {"csrf_token": pages.mona.token}, status=422).text
    assert "Choose one or more tickets first." in pages.mona.get("/inbox/unrated/assign").text


def test_who_works_sees_no_backlog_and_chooses_nothing(pages: "Pages") -> None:
    page = pages.olivia.get("/inbox/unrated?view=backlog")
    assert "Backlog" not in page.text
    assert not [told for told in page.with_attribute("name") if told["name"] == "ticket" and told.get("type") == "checkbox"]
    inboxes.import_all([DESK | {"roles": ["mlro"]}])
    assert "Take next" not in pages.mona.get("/inbox/desk").text


def test_while_the_source_is_away_the_pages_say_so(pages: "Pages") -> None:
    pages.mona.get("/settings/me")
    with away(pages.company):
        assert "The source of its records does not answer" in pages.mona.get("/").text
        assert "Records are missing here" in pages.mona.get("/inbox/unrated").text
    source = UNRATED["source"] | {"segment": None, "filter": "record.balance > 1"}
    inboxes.import_all([DESK, UNRATED | {"source": {name: said for name, said in source.items() if said}}])
    pages.company.sql("alter table customer rename column balance to amount_held")
    sources.refresh("company", DOCUMENTS)
    assert "It names a field that its records no longer have" in pages.mona.get("/").text, "one stale inbox takes nothing else away"
    assert "It names a field that its records no longer have" in pages.mona.get("/inbox").text
    assert "There is no field balance in Customers. This inbox names it" in pages.mona.get("/inbox/unrated").text
    inboxes.import_all([DESK, UNRATED])
    sources.refresh("company", [{name: said for name, said in one.items() if name != "segments"} for one in DOCUMENTS])
    assert "It names a segment that its records no longer have" in pages.mona.get("/").text, "nothing is done: it cannot be told"
    assert "Customers has no segment “" in pages.mona.get("/inbox/unrated").text


DATED = [DOCUMENTS[0] | {"fields": DOCUMENTS[0]["fields"] | {"updated_at": {"type": "datetime"}}}, DOCUMENTS[1]]
DUE = UNRATED | {"source": UNRATED["source"] | {"due": {"field": "updated_at", "days": 3}, "sort": "updated_at"}}


def test_who_works_in_an_inbox_reads_by_what_its_records_are_due(pages: "Pages") -> None:
    sources.refresh("company", DATED)
    inboxes.import_all([DESK, DUE])
    for who in ("olivia", "mona"):
        text = getattr(pages, who).get("/inbox/unrated").text
        assert "Due 3 days after “Updated at”." in text, "else a date in this list and the date on the record contradict each other"
        assert "Urgent first, then high" in text


def test_an_inbox_whose_records_are_due_on_their_day_says_so(pages: "Pages") -> None:
    sources.refresh("company", DATED)
    inboxes.import_all([DESK, UNRATED | {"source": UNRATED["source"] | {"due": {"field": "updated_at", "days": 0}}}])
    assert "Due on the day of “Updated at”." in pages.olivia.get("/inbox/unrated").text


def test_an_inbox_without_a_due_day_promises_none(pages: "Pages") -> None:
    for name in ("desk", "unrated"):
        assert " Due " not in pages.mona.get(f"/inbox/{name}").text


def test_the_list_of_inboxes_says_what_is_overdue_as_home_does(pages: "Pages") -> None:
    sources.refresh("company", DATED)
    inboxes.import_all([DESK, DUE])
    pages.company.sql("update customer set updated_at = '2020-01-01 10:00:00' where id in (1, 4)")
    listed, home = pages.olivia.get("/inbox").text, pages.olivia.get("/").text
    said = re.search(r"(\d+) to do, (\d+) overdue", listed)
    assert said is not None, listed
    assert f"{said[2]} overdue" in home
    assert int(said[2]) <= int(said[1])
