"""Several steps at once on the canvas of the editor, by keyboard and by mouse."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from console import workflows
from console.authoring import builder
from tests.company import Company

if TYPE_CHECKING:
    from tests.browser.conftest import Screen


def steps_of(company: Company) -> dict[str, dict[str, Any]]:
    return {step["id"]: step for step in workflows.open_draft(company.mona, "care-review").document["steps"]}


def test_several_steps_are_copied_framed_and_removed_without_the_mouse(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    mona = screens().enter("mona")
    page = mona.go("/workflows/care-review/edit?step=start")
    before = steps_of(company)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("[data-select=note]").focus()
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("[data-outline] [data-picked]")).to_have_count(2)
    expect(page.locator("[data-picked-count]")).to_have_text("2 steps selected")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("[data-outline] [data-picked]")).to_have_count(3)
    page.locator("[data-picked-do=copy]").press("Enter")
    expect(page.locator("#status")).to_have_text("3 steps copied")
    page.locator("[data-select=start]").focus()
    page.keyboard.press("Control+v")
    expect(page.locator("[data-outline] [data-step]")).to_have_count(len(before) + 3)
    after = steps_of(company)
    assert after["start"]["next"] == {"default": "note_2"}
    assert after["note_2"]["next"] == {"default": "rate_2"}
    assert after["is_high_2"]["next"] == {"default": before["start"]["next"]["default"]}

    page.locator("[data-outline] [aria-current=true]").focus()
    page.keyboard.press("Control+z")
    expect(page.locator("[data-outline] [data-step]")).to_have_count(len(before))
    assert steps_of(company) == before
    page.locator("[data-select=note]").focus()
    page.keyboard.press("Space")
    page.locator("[data-select=rate]").focus()
    page.keyboard.press("Space")
    page.locator("[data-picked-do=group]").press("Enter")
    expect(page.get_by_label("Title of group 1")).to_be_focused()
    page.keyboard.type("Looking")
    page.keyboard.press("Control+s")
    expect(page.locator("#saved")).to_contain_text("Saved")
    document = workflows.open_draft(company.mona, "care-review").document
    assert document["groups"] == [{"title": "Looking", "steps": ["note", "rate"]}]
    assert mona.faults() == []

    page.locator("[data-select=note]").focus()
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Delete")
    expect(page.locator("[data-outline] [data-step]")).to_have_count(len(before) - 2)
    page.keyboard.press("Control+z")
    expect(page.locator("[data-outline] [data-step]")).to_have_count(len(before))
    assert steps_of(company) == before

    page.locator("[data-select=note]").focus()
    page.keyboard.press("Control+d")
    expect(page.locator("[data-outline] [data-step=note_2]")).to_have_count(1)
    assert steps_of(company)["note"]["next"]["default"] == "note_2"
    page.locator("[data-outline] [aria-current=true]").focus()
    page.keyboard.press("Control+z")
    expect(page.locator("[data-outline] [data-step=note_2]")).to_have_count(0)
    page.locator("[data-select=note]").focus()
    page.keyboard.press("c")
    expect(page.get_by_label("Leads to").first).to_be_focused()
    page.locator("[data-select=note]").focus()
    page.keyboard.press("5")
    expect(page.locator(".add-family:visible")).to_have_count(1)
    expect(page.locator(".add-family:visible")).to_contain_text("Loop")


def test_what_is_selected_on_the_canvas_moves_together(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    page = screens().enter("mona").go("/workflows/care-review/edit")
    centres = {}
    for step in ("read", "note"):
        box = page.locator(f"[data-cell-id={step}] .nd").bounding_box()
        assert box
        centres[step] = (box["x"] + 60, box["y"] + 20)
        page.keyboard.down("Control")
        page.mouse.click(*centres[step])
        page.keyboard.up("Control")
    expect(page.locator("[data-outline] [data-picked]")).to_have_count(2)
    x, y = centres["read"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 160, y, steps=8)
    page.mouse.up()
    expect(page.locator("#editor")).to_have_attribute("data-revision", "1")
    steps = steps_of(company)
    moved = [steps[step]["at"][0] - steps["start"]["at"][0] for step in ("read", "note", "rate")]
    assert moved[0] == moved[1] != moved[2]


@pytest.mark.slow
def test_a_draft_without_a_step_is_drawn_and_begun_without_the_mouse(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    title = (
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"  # Persian, which is not written without its joiner
    )
    made = builder.bring_in(
        company.mona, json.dumps({"format": 1, "title": title, "steps": []}).encode(), "bare.json", team=None
    )
    mona = screens().enter("mona")
    page = mona.go(f"/workflows/{made.slug}/edit")
    expect(page.locator("#d-title")).to_have_value(title)
    page.get_by_role("button", name="Add a Start").first.press("Enter")
    expect(page.locator(".x6-node")).to_have_count(1)
    assert mona.faults() == []
