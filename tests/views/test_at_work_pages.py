"""AI performance: figures, the steps behind them, the table as a file, and the ladder's page."""

import csv
import io
from typing import TYPE_CHECKING

import pytest

from console import workflows
from console.activity import sequencing
from console.auth import access, accounts
from tests.ai.proposals.test_ladder import hidden
from tests.support.busy import month
from tests.support.call_figures import call, with_ai

if TYPE_CHECKING:
    from tests.views.conftest import Pages

OURS = "/ai/ladder/care-review/decide"


def test_the_page_says_what_became_of_proposals(pages: "Pages") -> None:
    month(pages.company)
    page = pages.mona.get("/ai")
    assert next(words for _, words in page.headings) == "AI performance"
    text = page.text.replace("\xa0", " ")
    for words in ("Accepted unchanged 68.4", "Manual 8.3", "Time per step"):
        assert words in text, words
    assert len(page.with_attribute("data-l")) > 10
    for link in page.links:
        if link.startswith("/ai"):
            pages.mona.get(link)


def test_the_table_as_a_file(pages: "Pages") -> None:
    month(pages.company)
    call(pages.company, {"=cmd|x": "accepted"})
    pages.mona.get("/ai/table.csv?days=30")
    answer = pages.mona.answer
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    note = next(row for row in rows if row["field"] == "note" and row["confidence"] == "all")
    assert (note["workflow"], note["step"], note["decided"], note["accepted share"]) == (
        "care-review",
        "note",
        "49",
        "0.7143",
    )
    assert any(row["field"] == "'=cmd|x" for row in rows)
    pages.mona.get("/ai/figures.csv?days=30")
    every = list(csv.DictReader(io.StringIO(pages.mona.answer.text)))
    parts = {"total", "week", "confidence", "step", "version", "model", "prompt version", "person"}
    assert {row["part"] for row in every} >= parts | {"taken fast or unopened", "manual because"}
    for row in every:
        pages.mona.get(row["steps"])


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/ai", "/ai/cases", "/ai/table.csv", "/ai/figures.csv"])
def test_who_hands_out_no_work_gets_no_figures(pages: "Pages", path: str) -> None:
    month(pages.company)
    for name in ("olivia", "tom", "rosa", "stan", "ines"):
        page = getattr(pages, name).get(path, status=403)
        assert "68.4" not in page.text, name
        assert "/ai" not in getattr(pages, name).get("/").links
    assert "/ai" in pages.mona.get("/").links
    assert "/ai" in pages.ada.get("/").links


def test_a_confidential_workflow_is_not_there(pages: "Pages") -> None:
    month(pages.company)
    document = workflows.live("care-review").document.to_json() | {"clearance": "sealed_matter"}
    workflows.import_file(document, publish=True)
    pages.mona.get("/ai", status=403)
    pages.mona.get(OURS, status=404)


def test_up_with_a_reason_and_down_again(pages: "Pages") -> None:
    with_ai("decide")
    hidden(pages.company, 125)
    page = pages.mona.get(OURS)
    wrong = pages.mona.send(page, "/promote", status=422, reason=" ")
    assert "Say why" in wrong.text
    pages.mona.send(page, "/promote", reason="125 of 125")
    page = pages.mona.follow()
    assert "Automatic Now" in page.text
    assert "125 of 125 agreed" in page.text
    assert "Mona" in page.text
    pages.mona.send(page, "/back", mode="shadow", reason="A complaint")
    assert "Shadow Now" in pages.mona.follow().text
    sequencing.catch_up()
    log = pages.ada.get("/activity").text
    assert (
        "Mona raised how far proposals for “decide” of Care review are trusted: done by themselves where all is certain"
        in log
    )
    assert "Mona lowered how far proposals" in log


def test_who_may_look_at_the_ladder_and_who_may_move_it(pages: "Pages") -> None:
    with_ai("decide")
    hidden(pages.company, 125)
    page = pages.ada.get(OURS)
    assert "Who may publish the workflow changes this" in page.text
    pages.ada.post(
        f"{OURS}/promote", {"csrf_token": pages.ada.token, "mode": "auto", "reason": "x"}, status=403
    )
    for name in ("olivia", "stan", "ines"):
        getattr(pages, name).get(OURS, status=404)
        getattr(pages, name).post(
            f"{OURS}/back",
            {"csrf_token": getattr(pages, name).token, "mode": "shadow", "reason": "x"},
            status=404,
        )
    access.assign(pages.company.stan.id, [("developer", "*")])
    assert accounts.actor_of_person(pages.company.stan.id, "ses_stan")
    assert "Promote to automatic" in pages.stan.get(OURS).text
