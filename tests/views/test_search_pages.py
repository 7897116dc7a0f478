"""Search from every page: what is found, by whom, and what is said where something was not searched."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest.mock import patch
from urllib.parse import urlencode

import sqlalchemy as sa

from console import runs
from console.browse import find_records
from console.core.errors import SourceDown
from console.infra.db.engine import fetch
from console.records import catalogue, quick_search

if TYPE_CHECKING:
    from tests.views.conftest import Page, Pages


def parts(page: "Page") -> list[str]:
    return [
        told["aria-label"]
        for tag, told in page.attributes
        if tag == "section" and told.get("class") == "hits"
    ]


def test_records_runs_pages_and_actions_stand_in_groups(pages: "Pages") -> None:
    run = runs.start(pages.company.olivia, "care-review", "customer", "1", {"why": "periodic"})
    page = pages.olivia.get("/search?q=adaeze")
    assert parts(page) == ["Customers", "Runs"]
    assert "/c/customer/1" in page.links
    assert f"/runs/{run}" in page.links
    assert "<mark>Adaeze</mark> Okonkwo-Bell" in page.html
    page = pages.olivia.get("/search?q=lindqvist")
    assert "/c/customer/2/start/care-review" in page.links, "what can be started on the record found"
    page = pages.olivia.get("/search?q=care+review")
    assert "/workflows/care-review" in page.links
    assert "/c/customer?segment=unrated" in pages.olivia.get("/search?q=unrated").links
    assert "Nothing is called “qqqq”" in pages.olivia.get("/search?q=qqqq").text


def test_nobody_finds_or_counts_what_is_out_of_their_scope_or_masked(pages: "Pages") -> None:
    assert "Halcyon" in pages.olivia.get("/search?q=halcyon").text
    for who, q in (
        (pages.tom, "halcyon"),
        (pages.stan, "adaeze"),
        (pages.olivia, "IE123"),
        (pages.tom, "NL559999900012345670"),
    ):
        page = who.get(f"/search?q={q}")
        assert parts(page) == []
        assert "0 found" in page.html
    assert "/settings/people" not in pages.olivia.get("/search?q=people").links
    assert "/settings/people" in pages.ines.get("/search?q=people").links


def test_a_source_that_does_not_answer_says_so_in_its_place_and_the_rest_lives(pages: "Pages") -> None:
    with patch.object(
        quick_search, "find", side_effect=SourceDown("The data source company does not answer.")
    ):
        page = pages.olivia.get("/search?q=compliance")
    assert "The data source company does not answer." in page.text
    assert "/inbox/desk" in page.links


def test_hostile_names_and_texts_are_text(pages: "Pages") -> None:
    for q in ("<script>alert", "' or 1=1 --", "%", "_", "\\", "(", "a" * 5_000, "\x00", "ñ́"):
        page = pages.olivia.get("/search?" + urlencode({"q": q}))
        assert "<script>alert" not in page.html
    assert "&lt;script&gt;alert(1)" in pages.olivia.get("/search?q=robert").html


def test_the_text_is_sealed_in_the_log(pages: "Pages") -> None:
    pages.olivia.get("/search?q=adaeze")
    bodies = [json.loads(bytes(row[0])) for row in fetch("select body from console.event")]
    listed = [body["data"] for body in bodies if body["type"] == "record_listed"]
    assert [told["open"]["count"] for told in listed] == [1]
    assert "adaeze" not in json.dumps(bodies)


def test_each_collection_is_asked_once(pages: "Pages") -> None:
    company = pages.company.olivia
    find_records.find(company, "adaeze")
    with statements("company") as sent:
        find_records.find(company, "adaeze")
    assert len([text for text in sent if text.lower().startswith("select")]) == 2, sent


@contextmanager
def statements(source: str) -> Iterator[list[str]]:
    sent: list[str] = []
    engine = catalogue.engine_of(next(item for item in catalogue.collections() if item.source == source))

    def note(_connection: object, _cursor: object, text: str, *_: object) -> None:
        sent.append(text)

    sa.event.listen(engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(engine, "before_cursor_execute", note)
