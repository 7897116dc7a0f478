"""What a list says beside its rows: numbers in the tabs, how late something is, and how wide and long each person has it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from console import browse, records
from console.browse import list_views
from console.core.documents.collections import Segment
from console.errors import TooSlow
from console.formats import Kind, Look
from console.records import catalogue
from console.views import due_cells, list_counts
from tests.core.test_collections import column, one
from tests.tables import cases

if TYPE_CHECKING:
    from tests.views.conftest import Pages


def test_tabs_are_counted_after_the_list_and_only_within_what_the_reader_sees(pages: "Pages") -> None:
    page = pages.olivia.get("/c/customer")
    [later] = [told for told in page.with_attribute("hx-get") if told.get("id") == "tabs"]
    assert (later["hx-get"], later["hx-trigger"]) == ("/c/customer", "load")
    assert pages.olivia.get("/c/customer", "tabs").text == "All 4Unrated 3"
    assert pages.tom.get("/c/customer", "tabs").text == "All 3Unrated 2"
    pages.stan.get("/c/customer", "tabs", status=404)


def test_a_tab_that_takes_long_has_no_number_and_one_that_rests_on_a_hidden_field_neither(pages: "Pages") -> None:
    known = catalogue.current()
    hidden = (Segment("taxed", "Taxed", "record.tax_id != null"), Segment("unrated", "Unrated", "record.risk == null"))
    other = replace(known, collections={**known.collections, "customer": replace(known.collections["customer"], segments=hidden)})
    with patch.object(catalogue, "current", lambda: other):
        assert pages.olivia.get("/c/customer", "tabs").text == "All 4Unrated 3"
    with patch.object(records, "count", side_effect=TooSlow("slow")):
        assert pages.olivia.get("/c/customer", "tabs").text == "AllUnrated"


@pytest.mark.parametrize(("count", "words"), [(0, "0"), (5_000, "5,000"), (10_000, "10,000"), (10_001, "10,000+")])
def test_a_capped_number_says_that_there_are_more(count: int, words: str) -> None:
    assert list_counts.tab_words(count) == words
    assert list_counts.tab_words(browse.MOST_IN_TAB + 1, browse.MOST_IN_TAB) == "1,000+"


@cases(
    "name, kind, value, state, words",
    [
        ("due_on", "date", "2026-07-25", "open", "119 days"),
        ("due_at", "datetime", "2026-11-20T10:30:00Z", None, "1 day late"),
        pytest.param("due_at", "datetime", "2026-11-20T22:30:00Z", None, "", id="in the reader's zone it is today"),
        ("deadline", "date", "2026-11-21", None, ""),
        ("payment_due", "date", "2026-07-25", "paid", ""),
        ("DueDate", "date", "2026-07-25", "No-Show", ""),
        ("due_on", "date", "2026-07-25", "Refused", ""),
        ("dueAt", "date", "2026-07-25", "Seen", ""),
        ("Due", "date", "2026-11-20", "not paid", "1 day late"),
        ("due_at", "date", "2026-07-25", "closed", ""),
        ("next_review_on", "date", "2026-11-20", "approved", "1 day late"),
        ("next_review_on", "date", "2026-11-20", "expired", "1 day late"),
        ("due_at", "date", "2026-11-20", "expired", ""),
        ("due_at", "datetime", "soon", None, ""),
        ("insurance_expires_on", "date", "2026-11-11", "accepted", "10 days ago"),
        ("expires_on", "date", "2026-11-11", "superseded", ""),
        ("valid_until", "date", "2026-11-22", "accepted", ""),
    ],
)
def test_what_is_late_says_for_how_many_days_unless_it_has_ended(name: str, kind: str, value: str, state: str | None, words: str) -> None:
    look = Look("en", "Europe/Vilnius", datetime(2026, 11, 21, 12, tzinfo=UTC))
    what = Kind(name, "Due", kind)
    assert due_cells.is_due(what)
    [cell] = due_cells.cells(what, look, [value], [due_cells.ended(state, what)])
    word = "Expired" if due_cells.expires(what) else "late"
    assert (words in cell and word in cell) if words else word not in cell
    brief = due_cells.brief(what, value, look, end=due_cells.ended(state, what))
    assert ("late" in brief) is bool(words)
    assert not due_cells.is_due(Kind("duet", "Duet", "date"))
    assert due_cells.brief(Kind("name", "Name"), "<b>", look, end=False) == "&lt;b&gt;"


@pytest.mark.parametrize(
    ("columns", "record", "over"),
    [
        ({"status": "text"}, {"status": "Done"}, True),
        ({"state": "text"}, {"state": "open"}, False),
        ({"Status": "text"}, {"Status": "Picked up"}, True),
        ({"dateReturned": "date"}, {"dateReturned": "2026-01-01"}, True),
        ({"resolved_at": "datetime"}, {"resolved_at": "2026-01-01T00:00:00Z"}, True),
        ({"paid": "boolean"}, {"paid": False}, False),
        ({"colour": "text"}, {"colour": "closed"}, False),
    ],
)
def test_a_record_is_over_by_its_state_whether_or_not_that_is_drawn_as_a_badge(
    columns: dict[str, str], record: dict[str, object], over: bool
) -> None:
    assert due_cells.over(record, one(*(column(name, stored) for name, stored in columns.items())), Kind("due_at", "Due", "date")) is over


def test_page_size_and_widths_are_kept_for_one_person_and_what_cannot_be_is_refused(pages: "Pages") -> None:
    for n in range(100, 140):
        pages.company.sql("insert into customer (id, display_name, desk) values (?, ?, 'retail')", n, f"N {n}")
    olivia = pages.olivia
    page = olivia.get("/c/customer?view=1")
    sent = {"csrf_token": page.form("/c/customer/view")["fields"]["csrf_token"], "columns": ["risk", "email"], "size": "20", "w.risk": "90"}
    olivia.post("/c/customer/view", sent)
    page = olivia.get("/c/customer")
    assert len(page.with_attribute("data-record")) == 20
    assert '<col width="90">' in page.html
    assert "<col width" not in pages.tom.get("/c/customer").html
    olivia.post("/c/customer/view", {"csrf_token": sent["csrf_token"], "only_widths": "1", "w.title": "5000"}, status=204)
    kept = list_views.view_of(pages.company.olivia, "customer")
    assert (kept.widths, kept.size, kept.columns) == ({"risk": 90, "title": 900}, 20, ("risk", "email"))
    olivia.post("/c/customer/view", sent | {"size": "1000"}, status=422)
    olivia.post("/c/customer/view", sent | {"w.tax_id": "90"}, status=422)


def test_conditions_are_joined_by_and_or_by_or_as_one_sentence(pages: "Pages") -> None:
    olivia = pages.olivia
    olivia.get("/c/customer?add_field=risk&add_op=eq&add_value=low", status=303)
    olivia.get(olivia.answer.headers["Location"] + "&add_field=balance&add_op=gte&add_value=900", status=303)
    page = olivia.follow()
    assert [told["data-record"] for told in page.with_attribute("data-record")] == []
    [other] = [told for told in page.with_attribute("href") if told.get("class") == "joined"]
    page = olivia.get(other["href"])
    assert sorted(told["data-record"] for told in page.with_attribute("data-record")) == ["2", "3"]
    assert "Risk is Low or Balance is at least 900" in page.text.replace("Lowor", "Low or")
    olivia.get(other["href"] + "&add_field=id&add_op=eq&add_value=1", status=303)
    page = olivia.follow()
    assert sorted(told["data-record"] for told in page.with_attribute("data-record")) == ["1", "2", "3"], (
        "a third one is an alternative too"
    )
