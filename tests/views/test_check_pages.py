"""The checklist on pages: where its lines lead, who sees none, and what the viewer frames."""

import pytest

from console.views.documents.files import _marks
from tests.documents.test_documents_checked import bill, send, worked
from tests.papers import CHECKED, at_note, workflow
from tests.tables import cases
from tests.views.conftest import Pages


@pytest.fixture
def run_id(pages: Pages) -> str:
    workflow("checked", CHECKED)
    return at_note(pages.company, "checked", "2")


def test_each_line_leads_to_the_page_where_it_was_seen(pages: Pages, run_id: str) -> None:
    sent = send(pages.company, run_id, bill())
    reading = pages.olivia.get(f"/runs/{run_id}/checks", htmx="checks")
    assert "The document is being read" in reading.text
    assert [told for told in reading.with_attribute("hx-trigger") if told["hx-trigger"].startswith("every ")]
    worked()
    page = pages.olivia.get(f"/runs/{run_id}/checks", htmx="checks")
    assert "3 passed" in page.text
    assert "Of 20 Oct 2026." in page.text  # as its reader writes days
    ways = [told["href"] for told in page.with_attribute("href") if "box=" in told["href"]]
    assert len(ways) == 2
    shown = pages.olivia.get(ways[0])
    assert sent.id in ways[0]
    assert "1 of 2" in shown.text
    assert [tag for tag, _ in shown.attributes].count("rect") == 1
    assert not shown.with_attribute("style")
    assert "framed" in next(
        told["data-announce"]
        for told in shown.with_attribute("data-announce")
        if "Page 1" in told["data-announce"]
    )


def test_strangers_and_readers_find_none(pages: Pages, run_id: str) -> None:
    pages.stan.get(f"/runs/{run_id}/checks", status=404)
    assert "There is no checklist here now" in pages.rosa.get(f"/runs/{run_id}/checks", status=409).text


@cases(
    ("given", "turn", "marks"),
    [
        ("100-200-300-400", 0, [(94, 194, 212, 212)]),
        ("100-200-300-400", 90, [(594, 94, 212, 212)]),
        ("100-200-300-400", 180, [(694, 594, 212, 212)]),
        ("100-200-300-400", 270, [(194, 694, 212, 212)]),
        ("0-0-1000-1000", 0, [(0, 0, 1000, 1000)]),
        ("100-200-300-400 1-2-3-4", 0, [(94, 194, 212, 212), (0, 0, 9, 10)]),
        ("300-200-100-400", 0, []),
        ("0-0-1001-5", 0, []),
        ("x", 0, []),
        ("1-2-3", 0, []),
        ("1-2-3-4-5", 0, []),
        ("-1-2-3-4", 0, []),
        (" ".join(["1-2-3-4"] * 50), 0, [(0, 0, 9, 10)] * 8),
        ('"><script>', 0, []),
        ("", 0, []),
    ],
)
def test_which_parts_of_a_page_are_framed(
    given: str, turn: int, marks: list[tuple[int, int, int, int]]
) -> None:
    assert [(mark.left, mark.top, mark.width, mark.height) for mark in _marks(given, turn)] == marks
