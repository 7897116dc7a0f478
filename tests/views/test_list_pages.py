"""Lists: what the address asks for is what is shown, and every link on the page leads to such an address."""

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from console.views import formats
from tests.support.contact_club import found_club

if TYPE_CHECKING:
    from tests.views.conftest import Page, Pages


def names(page: "Page") -> list[str]:
    """Titles of the rows, in order."""
    return [
        told["href"]
        for told in page.with_attribute("href")
        if told["href"].startswith("/c/customer/")
        and "data-menu" not in told
        and told["href"].count("/") == 3
    ]


def way(page: "Page", rel: str) -> str | None:
    """Where Next or Previous leads."""
    return next(
        (told["href"] for told in page.with_attribute("rel") if told["rel"] == rel and "href" in told), None
    )


def more_customers(pages: "Pages", number: int) -> None:
    for n in range(100, 100 + number):
        pages.company.sql(
            "insert into customer (id, display_name, desk, risk, balance) values (?, ?, 'retail', 'low', ?)",
            n,
            f"Customer {n}",
            n,
        )


def test_the_list_shows_records_their_menu_and_the_segments(pages: "Pages") -> None:
    page = pages.olivia.get("/c/customer")
    assert ("h1", "Customers") in page.headings
    assert "Adaeze Okonkwo-Bell" in page.text
    assert "4 records" in page.text
    assert "<script>alert" not in page.html
    assert "&lt;script&gt;alert(1)" in page.html
    assert "/c/customer?segment=unrated" in page.links
    assert "/c/customer/1/menu" in page.links
    assert pages.olivia.answer.headers["Cache-Control"] == "no-store"
    assert "HX-Request" in pages.olivia.answer.headers["Vary"]


def test_only_what_the_reader_may_see_is_there(pages: "Pages") -> None:
    assert "Halcyon" in pages.olivia.get("/c/customer").text
    assert "Halcyon" not in pages.tom.get("/c/customer").text
    pages.stan.get("/c/customer", status=404)
    assert "Customers" not in pages.stan.get("/c").text
    assert "Customers" in pages.olivia.get("/c?name=CUST").text
    assert "Customers" not in pages.stan.get("/c?name=cust").text
    assert "No collection has “<b>” in its name" in pages.olivia.get("/c?name=%3Cb%3E").text
    pages.olivia.get("/c/nothing", status=404)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("segment=unrated", ["1", "3", "4"]),
        ("q=lindqvist", ["2"]),
        ("sort=display_name", ["4", "1", "3", "2"]),
        ("sort=-display_name", ["2", "3", "1", "4"]),
        ("filter=" + quote(json.dumps({"and": [{"field": "risk", "op": "eq", "value": "low"}]})), ["2"]),
        (
            "filter=" + quote(json.dumps({"field": "balance", "op": "gt", "value": "1"})) + "&sort=id",
            ["1", "3"],
        ),
    ],
)
def test_the_address_is_the_state(pages: "Pages", query: str, shown: list[str]) -> None:
    assert [href.rpartition("/")[2] for href in names(pages.olivia.get(f"/c/customer?{query}"))] == shown


def test_a_search_looks_at_every_shown_column_and_names_them(pages: "Pages") -> None:
    found_club(pages.company)
    olivia = pages.olivia

    def found(text: str) -> list[str]:
        page = olivia.get(f"/c/contact?q={text}")
        return [told["data-record"] for told in page.with_attribute("data-record")]

    assert (found("whitfield"), found("tom"), found("7.25"), found("engaged")) == (
        ["1"],
        ["4", "5"],
        ["5"],
        ["3", "4", "5"],
    ), "more than the name, which alone the document names"
    assert "Searched: Name, Email, Stage, Owner, Worth" in olivia.get("/c/contact?q=tom").text
    assert found("Stockholm") == [], "a column that is not shown"
    olivia.post(
        "/c/contact/view", {"csrf_token": olivia.token, "columns": ["name", "time_zone"], "segment": "role"}
    )
    assert found("Stockholm") == ["4"], "a column that the reader has chosen"


def test_filters_are_added_in_words_shown_as_chips_and_removed_one_by_one(pages: "Pages") -> None:
    olivia = pages.olivia
    olivia.get("/c/customer?sort=id&add_field=risk&add_op=eq&add_value=Low", status=303)
    page = olivia.follow()
    assert [href.rpartition("/")[2] for href in names(page)] == ["2"]
    assert "Risk is Low" in page.text
    address = olivia.answer.request.path + "?" + olivia.answer.request.query_string.decode()
    olivia.get(address + "&add_field=balance&add_op=is_null&add_value=", status=303)
    page = olivia.follow()
    assert names(page) == []
    assert "Balance is empty" in page.text
    assert "Nothing here matches" in page.text
    removing = [link for link in page.links if "filter=" in link and "balance" not in link]
    assert [href.rpartition("/")[2] for href in names(olivia.get(removing[0]))] == ["2"]


def filter_of(session: Any) -> str:
    """The filter of the address that the session is sent to."""
    return str(parse_qs(urlsplit(session.answer.headers["Location"]).query)["filter"][0])


def test_one_condition_more_is_joined_with_all_of_them(pages: "Pages") -> None:
    olivia = pages.olivia
    both = '{"and":[{"field":"risk","op":"eq","value":"low"},{"field":"balance","op":"gt","value":"0"}]}'
    adding = {"add_field": "risk", "add_op": "eq", "add_value": "High", "filter": both}
    olivia.get("/c/customer?" + urlencode(adding), status=303)
    added = {"field": "risk", "op": "eq", "value": "high"}
    assert json.loads(filter_of(olivia)) == {"and": [*json.loads(both)["and"], added]}


@pytest.mark.parametrize(
    "query",
    [
        "filter={",
        "filter=" + quote('{"field":"nope","op":"eq","value":1}'),
        "sort=nope",
        "segment=nope",
        "after=garbage",
        "filter=" + quote(r'{"field":"\ud800","op":"eq","value":1}'),
        "filter="
        + quote(
            r'{"and":[{"field":"nope","op":"eq","value":1},{"field":"risk","op":"eq","value":"\udfff"}]}'
        ),
        "filter="
        + quote(
            '{"and":[{"field":"nope","op":"eq","value":1}'
            + ',{"field":"risk","op":"eq","value":"low"}' * 101
            + "]}"
        ),
    ],
)
def test_what_cannot_be_read_is_said_and_never_a_wrong_list_shown(pages: "Pages", query: str) -> None:
    page = pages.olivia.get(f"/c/customer?{query}", status=400)
    assert len(names(page)) == (4 if query.startswith(("sort", "after")) else 0)
    assert page.with_attribute("role")
    assert 'role="alert"' in page.html


def test_pages_go_on_and_back_and_count(pages: "Pages") -> None:
    more_customers(pages, 120)
    olivia = pages.olivia
    first = olivia.get("/c/customer?sort=id")
    assert "1–40 Count" in first.text
    assert way(first, "prev") is None
    second = olivia.get(way(first, "next") or "")
    assert parse_qs(urlsplit(way(first, "next") or "").query)["sort"] == ["id"]
    assert not set(names(first)) & set(names(second))
    assert names(olivia.get(way(second, "prev") or "")) == names(first)
    third = olivia.get(way(second, "next") or "")
    last = olivia.get(way(third, "next") or "")
    assert len(names(last)) == 4
    assert way(last, "next") is None


def test_the_count_comes_after_the_list_and_is_a_link_without_scripts(pages: "Pages") -> None:
    assert "4 records" in pages.olivia.get("/c/customer").text
    assert "count=" not in pages.olivia.answer.text
    more_customers(pages, 120)
    olivia = pages.olivia
    first = olivia.get("/c/customer?sort=id")
    (later,) = [
        told["hx-get"] for told in first.with_attribute("hx-trigger") if told.get("hx-target") == "#count"
    ]
    assert later in first.links
    assert olivia.get(later, htmx="count").html.strip() == "of 124"
    assert olivia.answer.headers["Cache-Control"] == "no-store"
    assert "1–40 of 124" in olivia.get(later).text
    assert "40 shown Count" in olivia.get(way(first, "next") or "").text
    assert "1–40 of 124" in olivia.get("/c/customer?sort=id&count=1").text
    olivia.get("/c/customer?filter={&count=about", htmx="count", status=400)
    assert "Count" not in olivia.get("/c/customer?filter={", status=400).text
    pages.stan.get("/c/customer?count=about", htmx="count", status=404)


def test_htmx_gets_the_list_alone(pages: "Pages") -> None:
    page = pages.olivia.get("/c/customer?q=tore", htmx="list")
    assert "<html" not in page.html
    assert page.html.lstrip().startswith('<div class="list"')
    assert names(page) == ["/c/customer/2"]


@pytest.mark.parametrize(
    ("words", "text", "html"),
    [
        ([], "a<b", "a&lt;b"),
        (["B"], "abc b", "a<mark>b</mark>c <mark>b</mark>"),
        (["<"], "a<b", "a<mark>&lt;</mark>b"),
        (["a.c", "  "], "abc a.c", "abc <mark>a.c</mark>"),
        (["an", "ana"], "Ana", "<mark>Ana</mark>"),
    ],
)
def test_marking_escapes_everything(words: list[str], text: str, html: str) -> None:
    assert formats.marker(words)(text) == html


def test_a_start_that_is_no_value_is_said_at_its_box_and_one_beyond_the_end_says_so(pages: "Pages") -> None:
    wrong = pages.olivia.get("/c/customer?sort=balance&start=many")
    assert "'many' is no number, which Balance needs." in wrong.text
    assert names(wrong), "the list is there"
    beyond = pages.olivia.get("/c/customer?sort=balance&start=99999999")
    assert "Balance: no record from 99999999 on." in beyond.text
    assert names(pages.olivia.get(str(way(beyond, "first"))))
    assert "Start at" not in pages.olivia.get("/c/customer").text, "all records are on this page"
