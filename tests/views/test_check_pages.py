"""The checklist on pages: what stands there, where its lines lead, what the viewer frames, and what replay says was never opened."""

import pytest

from console import documents, runs
from console.views.files import _marks
from tests.documents.test_documents_checked import bill, send, worked
from tests.papers import CHECKED, at_note, pdf, workflow
from tests.tables import cases
from tests.views.conftest import Pages


@pytest.fixture
def run_id(pages: Pages) -> str:
    workflow("checked", CHECKED)
    return at_note(pages.company, "checked", "2")


def test_the_form_asks_for_its_checklist(pages: Pages, run_id: str) -> None:
    page = pages.olivia.get(f"/runs/{run_id}")
    (section,) = [told for told in page.with_attribute("hx-get") if told["hx-get"] == f"/runs/{run_id}/checks"]
    assert (section["id"], section["hx-trigger"]) == ("checks", "load")


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
    assert "framed" in next(told["data-announce"] for told in shown.with_attribute("data-announce") if "Page 1" in told["data-announce"])


def test_it_stands_on_a_page_of_its_own_too(pages: Pages, run_id: str) -> None:
    send(pages.company, run_id, bill(title='<script>x</script>"'))
    documents.checklist(pages.company.olivia, run_id)
    worked()
    page = pages.olivia.get(f"/runs/{run_id}/checks")
    assert page.html.count("<h1") == 1
    assert "<script>x" not in page.html
    assert "Nothing" not in page.text
    assert not [told for tag, told in page.attributes if tag == "input" and told.get("type") == "checkbox"]


def test_strangers_and_readers_find_none(pages: Pages, run_id: str) -> None:
    pages.stan.get(f"/runs/{run_id}/checks", status=404)
    assert "There is no checklist here now" in pages.rosa.get(f"/runs/{run_id}/checks", status=409).text


@pytest.mark.parametrize("htmx", [None, "checks"])
def test_once_the_run_has_moved_on_it_says_where_it_stands(pages: Pages, htmx: str | None) -> None:
    run_id = pages.company.at("note")
    page = pages.olivia.get(f"/runs/{run_id}/checks?item=1", htmx=htmx, status=409)
    assert "There is no checklist here now The run stands at “Take a note”." in page.text
    assert {f"/runs/{run_id}", f"/runs/{run_id}/replay"} <= set(page.links)
    runs.abort(pages.company.olivia, run_id, revision=None, reason="enough")
    assert "The run has ended: Aborted." in pages.olivia.get(f"/runs/{run_id}/checks?item=1", htmx=htmx, status=409).text


def test_replay_says_which_pages_were_never_opened(pages: Pages, run_id: str) -> None:
    sent, other = send(pages.company, run_id, pdf(3), "terms.pdf"), send(pages.company, run_id, bill())
    for number in (1, 2):
        assert pages.olivia.client.get(f"/files/{sent.id}/page/{number}?run={run_id}").status_code == 200
    page = pages.olivia.get(f"/runs/{run_id}/replay")
    assert "Page 3 was never opened" in page.text
    assert "Never opened" in page.text
    at_start = pages.olivia.get(f"/runs/{run_id}/replay?at=1")
    assert "never opened" not in at_start.text.casefold()
    assert other.id


def test_replay_shows_the_checklist_of_then_without_a_way_on(pages: Pages, run_id: str) -> None:
    send(pages.company, run_id, bill())
    pages.olivia.get(f"/runs/{run_id}/checks", htmx="checks")
    worked()
    pages.olivia.get(f"/runs/{run_id}/checks", htmx="checks")
    page = pages.rosa.get(f"/runs/{run_id}/replay")
    assert "Checked by rule 3 passed" in page.text
    assert "Seen on page 1" in page.text
    assert "Of 2026-10-20" not in page.text
    assert not [told for told in page.with_attribute("href") if "box=" in told["href"]]
    assert "Checked by rule" not in pages.rosa.get(f"/runs/{run_id}/replay?at=2").text


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
def test_which_parts_of_a_page_are_framed(given: str, turn: int, marks: list[tuple[int, int, int, int]]) -> None:
    assert [(mark.left, mark.top, mark.width, mark.height) for mark in _marks(given, turn)] == marks
