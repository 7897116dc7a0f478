"""Numbers in the tabs of a list, what has expired, and how each person has its columns."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from console.browse import list_views
from console.formats import Kind, Look
from console.views.browse import expiry
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


@cases(
    "name, kind, value, expired",
    [
        ("insurance_expires_on", "date", "2026-11-20", True),
        ("valid_until", "datetime", "2026-11-20T10:30:00Z", True),
        pytest.param(
            "valid_until", "datetime", "2026-11-20T22:30:00Z", False, id="in the reader's zone it is today"
        ),
        ("valid_until", "date", "2026-11-21", False),
        ("expires_on", "date", "<b>", False),
        ("due_on", "date", "2026-07-25", False),
    ],
)
def test_what_has_expired_says_so(name: str, kind: str, value: str, expired: bool) -> None:
    look = Look("en", "Europe/Vilnius", datetime(2026, 11, 21, 12, tzinfo=UTC))
    what = Kind(name, "Until", kind)
    for drawn in (
        *expiry.cells(what, look, [value]),
        expiry.line(what, value, look),
        expiry.brief(what, value, look),
    ):
        assert ("Expired" in drawn) is expired
        assert "<b>" not in drawn


def test_page_size_and_widths_are_kept_for_one_person_and_what_cannot_be_is_refused(pages: "Pages") -> None:
    for n in range(100, 140):
        pages.company.sql(
            "insert into customer (id, display_name, desk) values (?, ?, 'retail')", n, f"N {n}"
        )
    olivia = pages.olivia
    page = olivia.get("/c/customer?view=1")
    sent = {
        "csrf_token": page.form("/c/customer/view")["fields"]["csrf_token"],
        "columns": ["risk", "email"],
        "size": "20",
    }
    drawn = {"csrf_token": sent["csrf_token"], "only_widths": "1"}
    olivia.post("/c/customer/view", drawn | {"w.risk": "90"}, status=204)
    olivia.post("/c/customer/view", sent)
    page = olivia.get("/c/customer")
    assert len(page.with_attribute("data-record")) == 20
    assert '<col width="90">' in page.html
    assert "<col width" not in pages.tom.get("/c/customer").html
    olivia.post("/c/customer/view", drawn | {"w.title": "5000"}, status=204)
    kept = list_views.view_of(pages.company.olivia, "customer")
    assert (kept.widths, kept.size, kept.columns) == ({"risk": 90, "title": 900}, 20, ("risk", "email"))
    olivia.post("/c/customer/view", sent | {"size": "1000"}, status=422)
    olivia.post("/c/customer/view", drawn | {"w.tax_id": "90"}, status=422)
