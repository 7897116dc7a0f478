"""Notes on the canvas by keyboard and by mouse, a step that is added with one answer, and a proposal whose page takes long to load."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from console import queue, workflows
from tests.builder.test_builder import RETITLE, answer, fixture_endpoint, fixture_model
from tests.company import Company
from tests.jobs import worked
from tests.servers.model import Server

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
def test_a_note_is_written_without_the_mouse_and_moved_with_it(screens: Callable[..., "Screen"], company: Company) -> None:
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
    assert all("at" not in step for step in workflows.open_draft(company.mona, "care-review").document["steps"]), "the steps stay arranged"
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#editor")).to_have_attribute("data-revision", str(revision + 2))
    assert notes_of(company) == [note]


@pytest.mark.slow
def test_a_click_on_a_note_goes_to_its_words_and_typing_keeps_them(screens: Callable[..., "Screen"], company: Company) -> None:
    page = screens().enter("mona").go(f"{CARE}/edit")
    with_note(page)
    page.goto(page.url.partition("?")[0] + "?step=start")
    page.get_by_role("button", name="Fit into view").click()
    page.locator(".nd-free").click()
    expect(page.locator("#d-notes-0")).to_be_focused()
    page.keyboard.press("Control+End")
    page.keyboard.type(" Always.")
    page.keyboard.press("Control+s")
    expect(page.locator(".nd-free")).to_have_text("Ask Petra before the limit is raised. Always.")
    page.get_by_role("button", name="Remove note 1").click()
    expect(page.locator(".nd-free")).to_have_count(0)
    assert not notes_of(company)


def test_a_step_that_is_added_is_shown_by_the_answer_that_adds_it(screens: Callable[..., "Screen"], company: Company) -> None:
    page = screens().enter("mona").go(f"{CARE}/edit?step=read")
    expect(page.locator(".x6-node").first).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method) if request.url.partition("?")[0].endswith("/edit") else None)
    page.get_by_role("button", name="Add step").click()
    page.keyboard.type("Guidance")
    page.keyboard.press("Enter")
    expect(page.locator("#f-title")).to_be_focused()
    expect(page.locator("#f-title")).to_have_value("Guidance")
    assert asked == ["POST"]
    assert page.url.endswith("?step=guidance")
    page.go_back()
    expect(page.locator("#editor")).to_have_attribute("data-chosen", "read")
    assert "guidance" in {step["id"] for step in workflows.open_draft(company.mona, "care-review").document["steps"]}


def test_the_outline_of_a_new_workflow_holds_every_step_also_where_the_search_box_comes_and_goes(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    page = screens().enter("mona").go("/workflows/new")
    page.get_by_label("Title").fill("By hand")
    page.keyboard.press("Enter")
    lines = page.locator("[data-outline] [data-step]")
    for count in range(2, 8):
        page.get_by_role("button", name="Add step").click()
        page.keyboard.type("Guidance")
        page.keyboard.press("Enter")
        expect(lines).to_have_count(count)
        expect(page.locator("[aria-current=true] b")).to_have_text("Guidance")
    for count in (6, 5, 4):
        page.get_by_role("button", name="Undo").click()
        expect(lines).to_have_count(count)


def test_a_step_that_is_removed_leaves_the_next_one_chosen(screens: Callable[..., "Screen"], company: Company) -> None:
    page = screens().enter("mona").go(f"{CARE}/edit?step=read")
    steps = [step["id"] for step in workflows.open_draft(company.mona, "care-review").document["steps"]]
    page.locator("[data-select=read]").focus()
    page.keyboard.press("Delete")
    following = steps[steps.index("read") + 1]
    expect(page.locator(f"[data-select={following}]")).to_be_focused()
    expect(page.locator("[data-outline] [data-step=read]")).to_have_count(0)
    assert page.url.endswith(f"?step={following}")


TOLD = """(header) => document.body.dispatchEvent(new CustomEvent("htmx:beforeOnLoad",
  { bubbles: true, detail: { xhr: { getResponseHeader: (name) => (name === header ? "true" : null) } } }))"""
ASKS = """() => document.body.dispatchEvent(new CustomEvent("htmx:beforeRequest", { bubbles: true, cancelable: true, detail: {} }))"""


def test_a_page_that_loads_itself_anew_asks_no_more_how_it_stands(screens: Callable[..., "Screen"], company: Company) -> None:
    assert company.people
    page = screens().enter("mona").go(CARE)
    page.evaluate(TOLD, "HX-Trigger")
    assert page.evaluate(ASKS), "an ordinary answer stops nothing"
    page.evaluate(TOLD, "HX-Refresh")
    assert not page.evaluate(ASKS), "each look would abort the load that is on its way"
    page.reload()
    assert page.evaluate(ASKS)


def test_the_same_key_sends_the_form_in_which_one_is(screens: Callable[..., "Screen"], company: Company, model: Server) -> None:
    model.obey(answer(RETITLE), times=None)
    page = screens().enter("mona").go(f"{CARE}/ask")
    said = page.get_by_label("Describe a change or ask about a step")
    said.fill("Judge the risk.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    worked({queue.BUILD})
    expect(page.get_by_role("heading", name="Proposed changes")).to_be_focused()
    said.fill("And ask why.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    assert workflows.open_draft(company.mona, "care-review").revision == 0, "a second wish takes nothing of the first proposal"
    expect(page.locator(".talk .said").last).to_have_text("And ask why.")
    worked({queue.BUILD})
    expect(page.get_by_role("heading", name="Proposed changes")).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#panel")).to_contain_text("All of it was taken.")
