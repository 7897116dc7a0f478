"""Notes on the canvas by keyboard and by mouse, and a step that is added with one answer."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from console import workflows
from tests.authoring.builder.test_builder import fixture_endpoint, fixture_model
from tests.company import Company

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

__all__ = ["fixture_endpoint", "fixture_model"]

CARE = "/workflows/care-review"


def notes_of(company: Company) -> Any:
    return workflows.open_draft(company.mona, "care-review").document.get("notes")


def with_note(page: Page) -> None:
    """A note is put on the canvas without the mouse, and written in."""
    page.get_by_role("button", name="Add note").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#d-notes-0")).to_be_focused()
    page.keyboard.type("Ask Petra before the limit is raised.")
    page.keyboard.press("Control+s")
    expect(page.locator(".nd-free")).to_have_text("Ask Petra before the limit is raised.")


@pytest.mark.slow
def test_a_note_is_written_without_the_mouse_and_moved_with_it(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    mona = screens().enter("mona")
    page = mona.go(f"{CARE}/edit")
    with_note(page)
    [note] = notes_of(company)
    assert note["text"] == "Ask Petra before the limit is raised."
    assert mona.faults() == []
    page.keyboard.press("Tab")
    revision = workflows.open_draft(company.mona, "care-review").revision
    page.get_by_role("button", name="Fit into view").click()
    box = page.locator(".nd-free").bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 100, box["y"] + 100, steps=8)
    page.mouse.up()
    expect(page.locator("#editor")).to_have_attribute("data-revision", str(revision + 1))
    [moved] = notes_of(company)
    assert moved["at"][0] > note["at"][0]
    assert moved["at"][1] > note["at"][1]
    assert all(
        "at" not in step for step in workflows.open_draft(company.mona, "care-review").document["steps"]
    ), "the steps stay arranged"
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#editor")).to_have_attribute("data-revision", str(revision + 2))
    assert notes_of(company) == [note]


def test_a_step_that_is_added_is_shown_by_the_answer_that_adds_it(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    page = screens().enter("mona").go(f"{CARE}/edit?step=read")
    expect(page.locator(".x6-node").first).to_be_visible()
    asked: list[str] = []
    page.on(
        "request",
        lambda request: (
            asked.append(request.method) if request.url.partition("?")[0].endswith("/edit") else None
        ),
    )
    page.get_by_role("button", name="Add step").click()
    page.keyboard.type("Guidance")
    page.keyboard.press("Enter")
    expect(page.locator("#f-title")).to_be_focused()
    expect(page.locator("#f-title")).to_have_value("Guidance")
    assert asked == ["POST"]
    assert page.url.endswith("?step=guidance")
    page.go_back()
    expect(page.locator("#editor")).to_have_attribute("data-chosen", "read")
    assert "guidance" in {
        step["id"] for step in workflows.open_draft(company.mona, "care-review").document["steps"]
    }
