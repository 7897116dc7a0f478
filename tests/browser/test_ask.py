"""The talk about a draft in a browser: asked, shown as a difference, taken in part, undone; by keyboard, at both sizes."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from console import workflows
from console.infra import jobs
from tests.authoring.builder.test_builder import ASK_WHY, RETITLE, answer, fixture_endpoint, fixture_model
from tests.company import Company
from tests.jobs import worked
from tests.servers.model import Server

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

__all__ = ["fixture_endpoint", "fixture_model"]


@pytest.mark.slow
def test_a_new_workflow_from_words_needs_no_more_than_the_words(
    screens: Callable[..., "Screen"], company: Company, model: Server
) -> None:
    begin = {
        "op": "add_step",
        "step": {"id": "start", "type": "start", "title": "Start", "config_json": "{}", "next": []},
        "after": "",
        "outcome": "",
    }
    end = {
        "op": "add_step",
        "step": {"id": "end", "type": "end", "title": "End", "config_json": "{}", "next": []},
        "after": "why",
        "outcome": "",
    }
    model.obey(answer(begin, ASK_WHY | {"after": "start"}, end))
    mona = screens().enter("mona")
    page = mona.go("/workflows/new")
    page.keyboard.type("Ask why")
    page.keyboard.press("Tab")
    page.keyboard.type("Whoever looks says why.")
    expect(page.get_by_label("What it should do, in words")).to_be_checked()
    page.get_by_role("button", name="Create").last.press("Enter")
    page.wait_for_url("**/ask")
    worked({jobs.BUILD})
    page.get_by_role("button", name="Take all").press("Enter")
    expect(page.locator("#panel")).to_contain_text("All of it was taken.")
    assert [step["id"] for step in workflows.draft_document("ask-why")["steps"]] == ["start", "why", "end"]
    page.goto(f"{mona.url}/workflows/new")
    page.get_by_label("Empty").check()
    page.locator("#description").fill("Nothing yet")
    expect(page.get_by_label("What it should do, in words")).to_be_checked()
    page.get_by_label("Empty").check()
    page.locator("#description").fill("By hand")
    expect(page.get_by_label("Empty")).to_be_checked()
    assert mona.faults() == []


@pytest.mark.slow
def test_asked_and_taken_in_part_without_the_mouse(
    screens: Callable[..., "Screen"], company: Company, model: Server
) -> None:
    gone = {"op": "remove_step", "step": "back"}
    model.obey(
        answer(ASK_WHY, RETITLE, gone, assumptions=["Everybody is asked."], questions=["Who reads it?"])
    )
    mona = screens().enter("mona")
    page = mona.go("/workflows/care-review/edit")
    page.get_by_role("link", name="Ask for a change in words").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Describe a change or ask about a step")).to_be_focused()
    page.keyboard.type("Ask why before the rating.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    assert mona.faults() == []
    worked({jobs.BUILD})
    expect(page.get_by_role("heading", name="Proposed changes")).to_be_focused()
    expect(page.locator("[data-outline] [data-step=why]")).to_contain_text("added")
    expect(page.locator("[data-outline] [data-step=back]")).to_contain_text("removed")
    expect(page.locator("step-picture .nd.added")).to_have_count(1)
    expect(page.locator("step-picture .nd.removed")).to_have_count(1)
    expect(page.locator("#panel")).to_contain_text("Who reads it?")
    assert mona.faults() == []
    page.locator("input[value='step:back']").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#panel")).to_contain_text("A part of it was taken.")
    after = workflows.open_draft(company.mona, "care-review").document
    assert {"why", "back"} <= {step["id"] for step in after["steps"]}
    assert "Judge the risk" in {step["title"] for step in after["steps"]}
    page.goto(f"{mona.url}/workflows/care-review/edit")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-outline] [data-step=why]")).to_have_count(0)
