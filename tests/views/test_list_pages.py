"""Lists: what the address asks for is what is shown, and every link on the page leads to such an address."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from markupsafe import escape

from console.browse import Counted, looking_inside
from console.records.indexes import Indexes
from console.views import formats, list_counts, list_rows
from console.views.formats import Kind, Look
from tests.tables import cases

if TYPE_CHECKING:
    from tests.views.conftest import Page, Pages


def names(page: "Page") -> list[str]:
    """Titles of the rows, in order."""
    return [
        told["href"]
        for told in page.with_attribute("href")
        if told["href"].startswith("/c/customer/") and "data-menu" not in told and told["href"].count("/") == 3
    ]


def way(page: "Page", rel: str) -> str | None:
    """Where Next or Previous leads."""
    return next((told["href"] for told in page.with_attribute("rel") if told["rel"] == rel and "href" in told), None)


def more_customers(pages: "Pages", number: int) -> None:
    for n in range(100, 100 + number):
        pages.company.sql(
            "insert into customer (id, display_name, desk, risk, balance) values (?, ?, 'retail', 'low', ?)", n, f"Customer {n}", n
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
        ("filter=" + quote(json.dumps({"field": "balance", "op": "gt", "value": "1"})) + "&sort=id", ["1", "3"]),
    ],
)
def test_the_address_is_the_state(pages: "Pages", query: str, shown: list[str]) -> None:
    assert [href.rpartition("/")[2] for href in names(pages.olivia.get(f"/c/customer?{query}"))] == shown


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
    assert "Nothing here fits" in page.text
    removing = [link for link in page.links if "filter=" in link and "balance" not in link]
    assert [href.rpartition("/")[2] for href in names(olivia.get(removing[0]))] == ["2"]


def filter_of(session: Any) -> str:
    """The filter of the address that the session is sent to."""
    return str(parse_qs(urlsplit(session.answer.headers["Location"]).query)["filter"][0])


def test_one_condition_more_is_joined_with_all_of_them_or_with_one_alone(pages: "Pages") -> None:
    olivia = pages.olivia
    both = '{"and":[{"field":"risk","op":"eq","value":"low"},{"field":"balance","op":"gt","value":"0"}]}'
    assert (
        "Joined byand all of theseor Risk is Lowor Balance is over"
        in olivia.get("/c/customer?" + urlencode({"filter": both}), "filter-sheet").text
    )
    adding = {"add_field": "risk", "add_op": "eq", "add_value": "High", "filter": both}
    olivia.get("/c/customer?" + urlencode(adding | {"add_to": "0"}), status=303)
    assert json.loads(filter_of(olivia)) == {
        "and": [{"or": [json.loads(both)["and"][0], {"field": "risk", "op": "eq", "value": "high"}]}, json.loads(both)["and"][1]]
    }
    assert "Risk is Low or Risk is High" in olivia.follow().text
    olivia.get("/c/customer?" + urlencode(adding | {"add_to": "7"}), status=303)
    assert len(json.loads(filter_of(olivia))["and"]) == 3


def test_a_value_with_its_count_narrows_what_any_of_several_conditions_found(pages: "Pages") -> None:
    either = '{"or":[{"field":"risk","op":"eq","value":"low"},{"field":"risk","op":"eq","value":"high"}]}'
    page = pages.olivia.get("/c/customer?" + urlencode({"filter": either, "sort": "id"}), "facets")
    narrowed = [parse_qs(urlsplit(link).query)["filter"][0] for link in page.links if "filter=" in link and "risk" in link]
    assert any(json.loads(each).get("and", [None])[0] == json.loads(either) for each in narrowed)


@pytest.mark.parametrize(
    ("field", "op", "value", "words"),
    [
        ("balance", "in", "12.50, 900", "Balance is 12.50 or 900"),
        ("display_name", "contains", "har", "Display name contains har"),
        ("risk", "ne", "low", "Risk is not Low"),
    ],
)
def test_conditions_read_as_words(pages: "Pages", field: str, op: str, value: str, words: str) -> None:
    pages.olivia.get(f"/c/customer?add_field={field}&add_op={op}&add_value={quote(value)}", status=303)
    assert words in pages.olivia.follow().text


@pytest.mark.parametrize(
    "query",
    [
        "filter={", "filter=" + quote('{"field":"nope","op":"eq","value":1}'), "sort=nope", "segment=nope", "after=garbage",
        "filter=" + quote(r'{"field":"\ud800","op":"eq","value":1}'), "filter=" + quote(r'{"and":[{"field":"nope","op":"eq","value":1},{"field":"risk","op":"eq","value":"\udfff"}]}'),
        "filter=" + quote('{"and":[{"field":"nope","op":"eq","value":1}' + ',{"field":"risk","op":"eq","value":"low"}' * 101 + "]}"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_and_never_a_wrong_list_shown(pages: "Pages", query: str) -> None:
    page = pages.olivia.get(f"/c/customer?{query}", status=400)
    assert len(names(page)) == (4 if query.startswith(("sort", "after")) else 0)
    assert page.with_attribute("role")
    assert 'role="alert"' in page.html


def test_an_incomplete_condition_leaves_the_list_as_it_is(pages: "Pages") -> None:
    assert len(names(pages.olivia.get("/c/customer?add_field=risk&add_op=eq&add_value="))) == 4


def test_heads_sort_up_then_down_and_say_so(pages: "Pages") -> None:
    page = pages.olivia.get("/c/customer?sort=risk")
    sorted_heads = page.with_attribute("aria-sort")
    assert [told["aria-sort"] for told in sorted_heads] == ["ascending"]
    assert "/c/customer?sort=-risk" in page.links
    assert pages.olivia.get("/c/customer?sort=-risk").with_attribute("aria-sort")[0]["aria-sort"] == "descending"


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
    (later,) = [told["hx-get"] for told in first.with_attribute("hx-trigger") if told.get("hx-target") == "#count"]
    assert later in first.links
    assert olivia.get(later, htmx="count").html.strip() == "of 124"
    assert olivia.answer.headers["Cache-Control"] == "no-store"
    assert "1–40 of 124" in olivia.get(later).text
    assert "40 shown Count" in olivia.get(way(first, "next") or "").text
    assert "1–40 of 124" in olivia.get("/c/customer?sort=id&count=1").text
    olivia.get("/c/customer?filter={&count=about", htmx="count", status=400)
    assert "Count" not in olivia.get("/c/customer?filter={", status=400).text
    pages.stan.get("/c/customer?count=about", htmx="count", status=404)


@cases(
    ("total", "about", "words"),
    [
        (0, None, "0"), (10_000, None, "10,000"), (4_234_567, None, "4,234,567"), (10_001, None, "more than 10,000"), (10_001, 9_000, "more than 10,000"),
        (10_001, 10_001, "more than 10,000"), (10_001, 12_345, "about 12,000"), (10_001, 423_456, "about 420,000"), (10_001, 999_999, "about 1 million"),
        (10_001, 4_234_567, "about 4.2 million"), (10_001, 42_345_678, "about 42 million"), (10_001, 5_000_000_000, "about 5 billion"),
    ],
)  # fmt: skip
def test_counts_are_said_in_words(total: int, about: int | None, words: str) -> None:
    assert list_counts.count_words(Counted(total, about)) == words


@cases(
    "type_",
    ["text", "long_text", "email", "integer", "decimal", "money", "boolean", "date", "datetime", "time", "enum", "multi_enum", "json"],
)
@cases("look", [Look(), Look("de", "Europe/Berlin"), Look("ar_EG", "Asia/Kolkata")])
def test_a_cell_says_what_the_field_says_elsewhere(type_: str, look: Look) -> None:
    given: tuple[Any, ...] = (
        *(
            None,
            "",
            0,
            7,
            -12_345,
            10**40,
            True,
            False,
            [],
            ["a", "<b>"],
            {"a": 1},
            "a",
            "12345.60",
            "NaN",
            "2026-02-29",
            "2026-11-20",
            "0044-03-15 BC",
        ),
        *("2026-07-01T22:59:30.5Z", "9999-12-31T23:59:59Z", "23:59:59", '<i>O\'Neil & "Co"</i>', "x" * 81),
    )
    for what in (Kind("n", "N", type_), Kind("n", "N", type_, options={"a": "A & B", "7": "Seven"}), Kind("n", "N", type_, grouped=False)):
        write = formats.cell(what, look)
        for value in given:
            said = formats.text(what, value, look)
            short = said if len(said) <= formats.CELL_LENGTH else said[: formats.CELL_LENGTH - 1] + "…"
            assert re.sub("^<td[^>]*>", "", write(value)) == f"{escape(short)}</td>", (what, value)


def test_a_whole_page_stays_small(pages: "Pages") -> None:
    more_customers(pages, 60)
    pages.olivia.get("/c/customer")
    assert len(pages.olivia.answer.data) < 50_000


def test_columns_are_chosen_in_the_address(pages: "Pages") -> None:
    page = pages.olivia.get("/c/customer?columns=desk&columns=nope")
    heads = [told for tag, told in page.attributes if tag == "th" and told.get("scope") == "col"]
    assert len(heads) == 3
    assert "Corporate" in page.text
    assert "12.50" not in page.text


def test_htmx_gets_the_list_alone(pages: "Pages") -> None:
    page = pages.olivia.get("/c/customer?q=tore", htmx="list")
    assert "<html" not in page.html
    assert page.html.lstrip().startswith('<div class="list"')
    assert names(page) == ["/c/customer/2"]


def test_open_runs_are_marked_in_the_list(pages: "Pages") -> None:
    run = pages.company.started("2", by="tom")
    page = pages.olivia.get("/c/customer")
    assert f"/runs/{run}" in page.links


def test_the_menu_of_a_row_offers_what_may_be_done(pages: "Pages") -> None:
    fragment = pages.olivia.get("/c/customer/1/menu", htmx="menu")
    assert "<html" not in fragment.html
    assert "/c/customer/1/start/care-review" in fragment.links
    assert ("h1", "Adaeze Okonkwo-Bell") in pages.olivia.get("/c/customer/1/menu").headings
    pages.company.started("1", by="tom")
    busy = pages.olivia.get("/c/customer/1/menu", htmx="menu")
    assert "/c/customer/1/start/care-review" not in busy.links
    assert "Care review: With" in busy.text
    assert "No workflow can be started" in pages.rosa.get("/c/customer/2/menu").text
    pages.tom.get("/c/customer/3/menu", status=404)


def test_a_search_from_anywhere_asks_for_the_collection(pages: "Pages") -> None:
    page = pages.olivia.get("/c?q=ada")
    assert "/c/customer?q=ada" in page.links
    assert "Search “ada” in" in page.text


def test_what_was_looked_for_is_marked_and_says_how_to_search(pages: "Pages") -> None:
    page = pages.olivia.get("/c/customer?q=ADAEZE")
    assert "<mark>Adaeze</mark> Okonkwo-Bell</a>" in page.html
    assert 'aria-label="Actions for Adaeze Okonkwo-Bell"' in page.html
    assert "How to search" in page.text
    assert "is empty" in pages.olivia.get("/c/customer", "syntax").text, "fetched when it is opened"
    assert "is empty" in pages.olivia.get("/c/customer?syntax=1").text, "without script it is a link"
    hostile = pages.mona.get(f"/c/customer?{quote('q')}={quote('<script>')}").html
    assert "<mark>&lt;script&gt;</mark>alert(1)" in hostile
    assert "<script>alert" not in hostile


def test_an_empty_search_offers_to_look_further(pages: "Pages") -> None:
    page = pages.mona.get("/c/account?q=halcyon")
    wider = next(href for href in page.links if "extended=1" in href)
    found = pages.mona.get(wider)
    assert "NL55 9999 9000 1234 5670" in found.text
    assert "Search there too" not in pages.mona.get("/c/account?q=nobody&extended=1").text


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


def test_columns_that_a_telephone_shows_carry_their_labels_and_the_others_no_dead_weight(pages: "Pages") -> None:
    row = pages.olivia.get("/c/customer").html.split("<tr data-record")[1]
    cells = [cell for cell in re.findall(r"<td[^>]*>", row) if "act" not in cell]
    assert len(cells) > list_rows.LABELLED
    late = ["badge bad" in cell for cell in row.split("<td")[1:-1]]
    assert ["data-l=" in cell for cell in cells] == [number < list_rows.LABELLED or late[number] for number in range(len(cells))]
    sheet = (Path(list_rows.__file__).parents[1] / "static" / "css" / "list.css").read_text(encoding="utf-8")
    assert f"td:not(.act):nth-of-type(n + {list_rows.LABELLED + 1}):not(:has(.badge.bad)) {{ display: none; }}" in sheet


def test_indexes_that_find_nothing_do_not_say_that_there_is_nothing(pages: "Pages", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Indexes, "large", property(lambda _: True))
    pages.mona.get("/c/account?q=closed", htmx="list", status=303)
    assert "LT45 9999 9000 1234 5679" in pages.mona.follow().text
    monkeypatch.setattr(looking_inside, "can_look_inside", lambda *_: False)  # every row takes too long
    text = pages.mona.get("/c/account?q=closed").text
    assert "Nothing was found so far: not every record was looked through." in text
    assert "Look inside every record" in text
    assert "fits what you search" not in text


def test_the_foot_leads_to_the_last_page_and_to_a_value_of_the_sorted_field(pages: "Pages") -> None:
    more_customers(pages, 90)
    first = pages.olivia.get("/c/customer?sort=balance")
    assert "Start at Balance" in first.text
    assert way(first, "first") is None
    last = pages.olivia.get(str(way(first, "last")))
    assert "/c/customer/189" in names(last)
    assert way(last, "next") is None
    assert way(last, "last") is None
    assert names(pages.olivia.get(str(way(last, "first")))) == names(first)
    begun = pages.olivia.get("/c/customer?sort=balance&start=150")
    assert names(begun)[0] == "/c/customer/150"
    assert "/c/customer/149" in names(pages.olivia.get(str(way(begun, "prev"))))
    assert names(pages.olivia.get("/c/customer?sort=-balance&start=150"))[0] == "/c/customer/150"
    assert "start=" not in str(way(begun, "next")) + str(way(begun, "prev")), "a page after another says nothing of where the list began"


def test_a_start_that_is_no_value_is_said_at_its_box_and_one_beyond_the_end_says_so(pages: "Pages") -> None:
    wrong = pages.olivia.get("/c/customer?sort=balance&start=many")
    assert "'many' is no number, which Balance needs." in wrong.text
    assert names(wrong), "the list is there"
    beyond = pages.olivia.get("/c/customer?sort=balance&start=99999999")
    assert "Balance: no record from 99999999 on." in beyond.text
    assert names(pages.olivia.get(str(way(beyond, "first"))))
    assert "Start at" not in pages.olivia.get("/c/customer").text, "all records are on this page"
