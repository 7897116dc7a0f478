"""Ten workflows of the kinds that people bring along from other programs: brought in, understood, changed and published in the editor, without the mouse."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from console import workflows
from console.auth import access, accounts
from tests.company import Company
from tests.support import habits

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow


@pytest.fixture(name="mona")
def fixture_mona(screens: Callable[..., "Screen"], company: Company) -> "Screen":
    """A lead, where an account acts by itself and accounts may be added."""
    accounts.create_service_account(habits.ROBOT, [("operations_lead", "operations")])
    for role in ("operator", "operations_lead"):
        access.grant(role, "collection:account", ["browse", "read", "create"], team="operations")
    workflows.import_file(habits.SIDE_BY_SIDE, publish=True)
    return screens().enter("mona")


@pytest.mark.parametrize("document", habits.HABITS, ids=[each["slug"] for each in habits.HABITS])
def test_a_workflow_of_another_habit_is_brought_in_changed_and_published_without_the_mouse(
    mona: "Screen", document: dict[str, Any], tmp_path: Path
) -> None:
    page, file = mona.go("/workflows/new"), tmp_path / "brought.json"
    file.write_text(json.dumps(document))
    page.get_by_label("Or a workflow file").set_input_files(file)
    page.get_by_role("button", name="Open the file").press("Enter")
    page.wait_for_selector("[data-outline] [data-step]")
    slug = page.url.split("/workflows/")[1].partition("/")[0]
    lines = page.locator("[data-outline] [data-step]")
    expect(lines).to_have_count(len(document["steps"]))
    assert {line.locator("b").inner_text() for line in lines.all()} == {
        step["title"] for step in document["steps"]
    }
    expect(page.locator("#problems .error")).to_have_count(0)
    brought = workflows.draft_document(slug)
    assert {name: value for name, value in brought.items() if name != "slug"} == {
        name: value for name, value in json.loads(json.dumps(document)).items() if name != "slug"
    }

    for step in document["steps"]:
        page.locator(f"[data-select={step['id']}]").press("Enter")
        expect(page.locator("#panel h2")).to_have_text(step["title"])
        expect(page.locator("#f-title")).to_be_focused()
    page.locator("[data-select=start]").press("Enter")
    expect(page.locator("#panel h2")).to_have_text("Start")
    expect(page.locator("#f-title")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("Begins here")
    page.keyboard.press("Control+s")
    expect(lines.first).to_contain_text("Begins here")
    page.get_by_role("button", name="Add step").press("Enter")
    page.keyboard.type("task")
    page.keyboard.press("Enter")
    expect(page.locator("#panel h2")).to_have_text("Create task")
    expect(page.locator("#f-title")).to_be_focused()
    page.locator("#f-config-title").focus()
    page.keyboard.type("Look at this first")
    page.locator("#f-config-team").select_option("operations")
    page.keyboard.press("Control+s")
    expect(page.locator("#saved")).to_contain_text("Saved")
    expect(page.locator("#problems .error")).to_have_count(0)
    assert mona.faults() == []

    page.get_by_role("link", name="Publish").press("Enter")
    page.get_by_role("textbox", name="Note").focus()
    page.keyboard.type("Brought along.")
    page.locator("main form").get_by_role("button", name="Publish").press("Enter")
    page.wait_for_url(f"**/workflows/{slug}")
    live = workflows.live(slug).document.to_json()
    before = {step["id"]: step for step in document["steps"]}
    after = {step["id"]: step for step in live["steps"]}
    [added] = set(after) - set(before)
    assert (after[added]["config"], after["start"]["title"]) == (
        {"title": "Look at this first", "team": "operations"},
        "Begins here",
    )
    assert after["start"]["next"] == {"default": added}
    assert after[added]["next"] == before["start"]["next"]
