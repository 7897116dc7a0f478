"""Where a Go to has led back as often as the workflow allows: what the page offers works."""

from typing import TYPE_CHECKING

import pytest

from console import runs

if TYPE_CHECKING:
    from tests.company import Company
    from tests.views.conftest import Pages

LIMIT = 5


def decide(company: "Company", run_id: str, outcome: str) -> None:
    revision = company.told(run_id)["revision"]
    runs.complete(
        company.olivia,
        run_id,
        runs.Submission(step="decide", revision=revision, values={}, outcome=outcome),
    )


def at_limit(company: "Company") -> str:
    """A run that may not go back any more, as often as it was asked to."""
    run_id = company.at("decide")
    for turn in range(LIMIT):
        decide(company, run_id, "again")
        if turn < LIMIT - 1:
            company.answer(run_id, note="Once more.")
            company.answer(run_id, risk="low")
    return run_id


def test_what_the_page_offers_at_the_limit_leads_on(company: "Company", pages: "Pages") -> None:
    run_id = at_limit(company)
    assert company.told(run_id)["current"]["step"] == "back"
    page = pages.olivia.get(f"/runs/{run_id}")
    assert "was entered 5 times" in page.text
    assert not [form for form in page.forms if form["action"].endswith(("/complete", "/retry"))]
    assert f"/runs/{run_id}/escalate" in page.links
    [way] = [
        each["href"] for each in page.with_attribute("data-leaves") if "/revise?" in each.get("href", "")
    ]
    pages.olivia.send(pages.olivia.get(way), "/revise", reason="Enough was looked at.")
    decide(company, run_id, "approve")
    assert company.told(run_id)["status"] == "completed"


@pytest.mark.parametrize("step", ["rate", "note"])
def test_what_was_revised_does_not_count(company: "Company", step: str) -> None:
    run_id = at_limit(company)
    runs.revise(company.olivia, run_id, revision=None, step=step, attempt=None, reason="Another answer.")
    if step == "note":
        company.answer(run_id, note="Another.")
    company.answer(run_id, risk="medium")
    decide(company, run_id, "again")
    assert company.told(run_id)["current"]["step"] == "back", "it is still at its limit"
    runs.revise(company.olivia, run_id, revision=None, step="decide", attempt=None, reason="Enough.")
    decide(company, run_id, "approve")
    assert company.told(run_id)["status"] == "completed"
