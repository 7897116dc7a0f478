"""The filter of a list saved as a tab: for oneself, for a team, a role, or as a segment of the collection for everybody."""

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from console import browse
from console.browse import BrowseQuery, saved_segments
from console.core import filter_expressions, filters
from console.core.errors import Malformed, NotFound
from console.infra.db.engine import fetch
from console.sources import collections
from tests.tables import cases

if TYPE_CHECKING:
    from tests.views.conftest import Browser, Page, Pages

LOW = json.dumps({"and": [{"field": "risk", "op": "eq", "value": "low"}]})
TAXED = json.dumps({"field": "tax_id", "op": "is_null", "value": False})


def save(
    browser: "Browser", label: str, audience: str, filter_: str = LOW, status: int = 303, **more: str
) -> "Page":
    """Save the list with this filter as a tab."""
    address = f"/c/customer?filter={quote(filter_)}"
    page = browser.get(address, "saving-sheet")
    action = next(form["action"] for form in page.forms if form["action"].startswith("/c/customer?"))
    return browser.send(page, action, status=status, label=label, audience=audience, **more)


def tabs(browser: "Browser", path: str = "/c/customer?segment=") -> dict[str, str]:
    """Label and address of the tabs."""
    nav = browser.get(path).html.split('id="tabs"')[1].split("</nav>")[0]
    found = [part.split("</a>")[0] for part in nav.split('<a href="')[1:]]
    return {
        part.split(">", 1)[1].split("<")[0].strip(): part.split('"')[0].replace("&amp;", "&")
        for part in found
    }


def test_a_filter_is_a_tab_for_its_maker_a_team_or_a_role_and_for_nobody_else(pages: "Pages") -> None:
    olivia, me = pages.olivia, pages.company.olivia.id
    save(olivia, "Mine", f"user:{me}", with_columns="1", columns="risk,email")
    page = olivia.follow()
    assert [told["data-record"] for told in page.with_attribute("data-record")] == ["2"]
    assert 'aria-current="page">Mine' in page.html
    save(olivia, "Of the team", "team:operations")
    save(olivia, "Of operators", "role:operator")
    assert {"All", "Unrated", "Mine", "Of the team", "Of operators"} == set(tabs(olivia))
    assert "columns=risk&columns=email" in tabs(olivia)["Mine"]
    assert set(tabs(pages.tom)) == {"All", "Unrated", "Of the team", "Of operators"}
    assert set(tabs(pages.mona)) == {"All", "Unrated", "Of the team"}
    assert "Of the team 1" in pages.tom.get("/c/customer?segment=", "tabs").text
    assert "filter" not in tabs(olivia, tabs(olivia)["Mine"])["Unrated"], (
        "another tab begins without the saved filter"
    )
    kinds = [row[0] for row in fetch("select kind from console.activity where kind = 'segment_shared'")]
    assert len(kinds) in (0, 2), "a tab for oneself is not noted; the sequencer may not have come yet"


def test_its_maker_changes_it_opens_with_it_and_removes_it(pages: "Pages") -> None:
    olivia, actor = pages.olivia, pages.company.olivia
    save(olivia, "First", f"user:{actor.id}")
    [saved] = saved_segments.saved_segments(actor, "customer")
    page = olivia.get(olivia.answer.headers["Location"] + "&saving=1")  # as who has no script
    action = next(
        form["action"] for form in page.forms if "saved=" in form["action"] and form["method"] == "post"
    )
    olivia.send(page, action, label="Second", do="change", columns="")
    assert [(one.id, one.label) for one in saved_segments.saved_segments(actor, "customer")] == [
        (saved.id, "Second")
    ]
    stale = olivia.get(
        f"/c/customer?saved={saved.id}&filter={quote(LOW.replace('risk', 'gone'))}", status=400
    )
    assert not stale.with_attribute("data-record"), "a filter that cannot be applied lists nothing"
    assert all(
        words in stale.text
        for words in (
            "There is no field gone in Customers.",
            "Your tab “Second” asks for it.",
            "Save changes",
        )
    )
    olivia.send(
        olivia.get("/c/customer?segment=&view=1"), "/c/customer/view", segment=saved.id, columns="email"
    )
    olivia.get("/c/customer", status=303)
    assert f"saved={saved.id}" in olivia.answer.headers["Location"]
    pages.tom.post(
        f"/c/customer?saved={saved.id}", {"csrf_token": pages.tom.token, "do": "remove"}, status=404
    )
    pages.tom.post(
        f"/c/customer?saved={saved.id}&filter={quote(LOW)}",
        {"csrf_token": pages.tom.token, "do": "change", "label": "x", "audience": "role:operator"},
        status=404,
    )
    olivia.post(f"/c/customer?saved={saved.id}", {"csrf_token": olivia.token, "do": "remove"})
    assert saved_segments.saved_segments(actor, "customer") == []
    olivia.get("/c/customer")


def test_what_cannot_be_saved_is_named_and_stays_typed(pages: "Pages") -> None:
    for label, audience, words in (
        ("", "team:operations", "A segment has a name"),
        ("Late ones", "team:procurement", "Choose yourself, a team of yours"),
        ("Late ones", "everybody", "You may not shape Customers"),
    ):
        page = save(pages.olivia, label, audience, status=403 if audience == "everybody" else 422)
        assert words in page.text
        assert audience == "everybody" or f'value="{label}"' in page.html
    page = pages.olivia.get("/c/customer?q=tore&saving=1")
    action = next(form["action"] for form in page.forms if form["action"].startswith("/c/customer?q"))
    assert (
        "stays yours"
        in pages.olivia.send(page, action, status=422, label="Tore", audience="team:operations").text
    )
    pages.stan.post(
        f"/c/customer?filter={quote(LOW)}",
        {"csrf_token": pages.stan.token, "label": "x", "audience": "team:procurement"},
        status=404,
    )
    assert fetch("select 1 from console.saved_segment") == []


def test_who_may_not_read_a_field_does_not_see_a_tab_that_filters_by_it(pages: "Pages") -> None:
    mona, tom = pages.company.mona, pages.company.tom
    made = saved_segments.save(mona, "customer", "Taxed", "team:operations", {"filter": TAXED})
    assert [one.id for one in saved_segments.saved_segments(mona, "customer")] == [made]
    assert saved_segments.saved_segments(tom, "customer") == []
    with pytest.raises(Malformed):
        saved_segments.save(tom, "customer", "Taxed", "team:operations", {"filter": TAXED})
    with pytest.raises(NotFound):
        saved_segments.saved_segments(pages.company.stan, "customer")


def test_who_may_shape_saves_for_everybody_by_the_draft_and_removes_what_others_share(pages: "Pages") -> None:
    saved_segments.save(pages.company.olivia, "customer", "Shared", "team:operations", {"filter": LOW})
    save(pages.mona, "Low risk", "everybody")
    assert pages.mona.answer.headers["Location"] == "/settings/collections/customer/segments"
    assert "Low risk" not in tabs(pages.tom)
    pages.mona.send(pages.mona.get("/settings/collections/customer/changes"), "/changes", do="publish")
    assert tabs(pages.tom)["Low risk"] == "/c/customer?segment=low-risk"
    assert browse.page(pages.company.tom, "customer", BrowseQuery(segment="low-risk")).rows[0].key == "2"
    refused = save(
        pages.mona,
        "By name",
        "everybody",
        json.dumps({"field": "display_name", "op": "contains", "value": "tore"}),
        status=422,
    )
    assert "ignores capitals" in refused.text
    shared = tabs(pages.mona)["Shared"]
    pages.mona.post(shared, {"csrf_token": pages.mona.token, "do": "remove"})
    assert "Shared" not in tabs(pages.tom)


@cases(
    "given",
    [
        {"field": "risk", "op": "eq", "value": "low"},
        {"field": "risk", "op": "ne", "value": "low"},
        {"field": "risk", "op": "in", "value": ["low", None]},
        {"field": "risk", "op": "eq", "value": None},
        {"field": "email", "op": "is_null", "value": False},
        {"field": "balance", "op": "gte", "value": "12.50"},
        {
            "and": [
                {"field": "desk", "op": "eq", "value": "retail"},
                {"or": [{"field": "balance", "op": "lt", "value": 1}, {"field": "risk", "op": "is_null"}]},
            ]
        },
        {"field": "display_name", "op": "eq", "value": '<script>alert(1)</script> "Robert\'); drop table"'},
    ],
)
def test_a_filter_and_its_expression_find_the_same_records(pages: "Pages", given: dict[str, Any]) -> None:
    mona = pages.company.mona
    collection, parsed = browse.filter_of(mona, "customer", json.dumps(given))
    found = collections.find(mona, collection, text=filter_expressions.expression_of(parsed, collection))
    assert (
        0
        < found.total
        == browse.count(mona, "customer", BrowseQuery(filter=json.dumps(given), count="exact")).total
    )


def test_days_from_today_stay_so_in_an_expression(pages: "Pages") -> None:
    collection = browse.filter_of(pages.company.mona, "customer", LOW)[0]
    assert (
        filter_expressions.expression_of(filters.Test("updated_at", "gte", "2026-01-01", -30), collection)
        == "record.updated_at >= addDays(today(), -30)"
    )
