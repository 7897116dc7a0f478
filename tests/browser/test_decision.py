"""A decision in a browser: the fields follow the option, nothing typed is lost, and axe finds nothing."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from console import runs, workflows
from tests.company import Company
from tests.runs.commands.test_decisions import DOCUMENT

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

FIELDS = ("f-code", "f-detail", "f-due", "f-note")


@pytest.fixture
def at_decide(company: Company) -> str:
    """A run of Olivia's that stands at "Decide"; approving is not offered."""
    workflows.import_file(DOCUMENT, publish=True)
    run_id = runs.start(company.olivia, "care-choice", "customer", "1", {})
    runs.complete(
        company.olivia, run_id, runs.Submission(step="rate", revision=None, values={"risk": "high"})
    )
    return run_id


def visible(screen: "Screen") -> list[str]:
    return [name for name in FIELDS if screen.page.is_visible(f"#{name}")]


def test_fields_follow_the_choice_and_keep_what_was_typed(
    screens: Callable[..., "Screen"], company: Company, at_decide: str
) -> None:
    olivia = screens().enter("olivia")
    page = olivia.go(f"/runs/{at_decide}")
    assert "The risk is high." in page.inner_text(".choose-row.off")
    looking = screens().enter("mona").go(f"/runs/{at_decide}")
    assert looking.eval_on_selector(".choose-row.off", "row => getComputedStyle(row).display") == "grid", (
        "who only looks has its sheet too"
    )
    assert visible(olivia) == ["f-note"]
    page.focus("#outcome")
    olivia.press("ArrowDown")
    assert visible(olivia) == ["f-code", "f-detail", "f-note"]
    assert not page.is_visible("#f-detail-help .whose"), "once one is chosen, boxes do not say whose they are"
    assert page.inner_text("#open-fields").startswith("Still open: ")
    page.focus("#f-code")
    olivia.press("P")
    page.fill("#f-detail", "The second page")
    page.focus("#outcome-2")
    olivia.press("ArrowUp")
    assert visible(olivia) == ["f-due", "f-note"]
    olivia.press("ArrowDown")
    assert page.input_value("#f-detail") == "The second page"
    page.fill("#f-detail", "")
    olivia.press("Control+Enter")
    page.wait_for_selector("[role=alert]")
    assert visible(olivia) == ["f-code", "f-detail", "f-note"]
    assert page.is_checked("#outcome-2")
    assert page.input_value("#f-code") == "documents"
    with page.expect_response(lambda answer: answer.url.endswith("/draft")):
        page.fill("#f-detail", "The second page")
    assert olivia.faults(both=False) == []
    page.reload()
    assert visible(olivia) == ["f-code", "f-detail", "f-note"], (
        "what was typed is never hidden before a choice is made"
    )
    page.check("#outcome-2")
    olivia.press("Control+Enter")
    page.wait_for_selector("text=is done")
    told = company.told(at_decide)
    assert told["context"]["decide"] == {
        "option": "reject",
        "code": "documents",
        "detail": "The second page",
        "due": None,
        "note": None,
    }


def test_a_decision_is_for_every_eye(
    screens: Callable[..., "Screen"], company: Company, at_decide: str
) -> None:
    olivia = screens().enter("olivia")
    page = olivia.go(f"/runs/{at_decide}")
    assert olivia.faults() == []
    page.check("#outcome-2")
    assert olivia.faults() == []
    runs.complete(
        company.olivia,
        at_decide,
        runs.Submission(step="decide", revision=None, values={"due": "2026-12-24"}, outcome="later"),
    )
    at = next(
        tick["n"] for tick in runs.replay(company.olivia, at_decide).ticks if tick["kind"] == "outcome_chosen"
    )
    olivia.go(f"/runs/{at_decide}/replay?at={at}")
    assert olivia.faults() == []
