"""The canvas holds every step after whatever is done in the editor, as the outline does."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from console import workflows
from console.core import drafting
from tests.authoring.publication.test_publishing_reviews import second_lead
from tests.company import Company

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

CANVAS = "[...document.querySelectorAll('step-picture [data-cell-id]')].map((each) => each.dataset.cellId).filter((id) => document.querySelector(`[data-outline] [data-step='${id}']`)).sort().join()"
OUTLINE = "[...document.querySelectorAll('[data-outline] [data-step]')].map((each) => each.dataset.step).sort().join()"


def is_whole(page: Page, count: int) -> None:
    """As many steps in the outline, and the same on the canvas, each with its ways."""
    expect(page.locator("[data-outline] [data-step]")).to_have_count(count)
    page.wait_for_function(f"() => {CANVAS} === {OUTLINE}")


@pytest.mark.slow
def test_the_canvas_holds_every_step_after_a_step_is_chosen_added_and_taken_back(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    draft = workflows.open_draft(company.mona, "care-review")
    count = len(draft.document["steps"])
    mona = screens().enter("mona")
    page = mona.go("/workflows/care-review/edit")
    page.wait_for_selector("[data-cell-id=rate]")
    is_whole(page, count)
    ways = page.locator(".x6-edge").count()
    for step in ("read", "note"):
        page.locator(f"[data-select={step}]").press("Enter")
        expect(page.locator("#f-title")).to_be_focused()
    page.get_by_role("button", name="Add step").press("Enter")
    page.keyboard.type("guidance")
    page.keyboard.press("Enter")
    expect(page.locator("#panel h2")).to_have_text("Guidance")
    is_whole(page, count + 1)
    expect(page.locator(".x6-edge")).to_have_count(ways + 1)
    expect(page.locator("#f-title")).to_be_focused()
    page.keyboard.type("Told")
    page.keyboard.press("Control+s")
    expect(page.locator("[data-outline]")).to_contain_text("Told")
    is_whole(page, count + 1)
    page.locator("[data-select=rate]").press("Enter")
    expect(page.locator("#panel h2")).to_have_text("Rate the risk")
    other = {
        "op": "add_step",
        "step": {"id": "other", "type": "guidance", "title": "Of somebody else", "config": {"text": "x"}},
        "after": "load",
    }
    tom = second_lead(company)
    workflows.edit(
        tom, "care-review", workflows.open_draft(tom, "care-review").revision, drafting.read_changes([other])
    )
    page.locator("#f-title").fill("Rated")
    page.keyboard.press("Control+s")
    expect(page.locator("[data-outline]")).to_contain_text("Rated")
    is_whole(page, count + 2)
    for title in ("Rated", "Told"):
        page.locator("[data-select=rate]").focus()
        page.keyboard.press("Control+z")
        expect(page.locator("[data-outline]")).not_to_contain_text(title)
        is_whole(page, count + 2)
    assert mona.faults() == []
