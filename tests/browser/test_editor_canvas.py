"""Several steps at once in the editor, by keyboard and by mouse, and results on an example beside what is typed."""

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from console import access, builder, workflows
from console.core import drafting
from tests.company import Company

if TYPE_CHECKING:
    from tests.browser.conftest import Screen


def steps_of(company: Company) -> dict[str, dict[str, Any]]:
    return {step["id"]: step for step in workflows.open_draft(company.mona, "care-review").document["steps"]}


def test_several_steps_are_copied_framed_and_removed_without_the_mouse(screens: Callable[..., "Screen"], company: Company) -> None:
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


def test_what_is_selected_on_the_canvas_moves_together(screens: Callable[..., "Screen"], company: Company) -> None:
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


def test_a_rule_says_beside_it_what_it_comes_to_on_an_example(screens: Callable[..., "Screen"], company: Company) -> None:
    run_id = company.at("decide")
    access.grant("operations_lead", "collection:customer", ["browse", "read"], team="operations")
    access.refresh()
    mona = screens().enter("mona")
    page = mona.go("/workflows/care-review/edit?step=read")
    text = page.locator("#f-config-text-result")
    expect(text).to_be_hidden()
    page.locator("#example").focus()
    expect(page.locator(f"#example option[value={run_id}]")).to_have_count(1)
    page.locator("#example").select_option(run_id)
    name = company.sql("select display_name from customer where id = 1")[0][0]
    expect(text).to_have_text(f"About **{name}**.")
    page.locator("#f-config-text").fill("They wrote: {{ steps.note.note }}")
    expect(text).to_have_text("They wrote: Looked at it.")
    page.keyboard.press("Control+s")
    expect(page.locator("#saved")).to_contain_text("Saved")
    page.locator("[data-select=is_high]").press("Enter")
    expect(page.locator("#f-config-branches-0-if-result")).to_have_text("No")
    assert mona.faults() == []


def test_the_text_completes_and_its_margin_names_the_problems(screens: Callable[..., "Screen"], company: Company) -> None:
    mona = screens().enter("mona")
    page = mona.go("/workflows/care-review/edit?view=text")
    text = page.locator("#text")
    with page.expect_response("**/schema/workflow.json"):
        text.focus()

    def caret_behind(words: str, chosen: int = 0) -> None:
        text.evaluate(
            "(box, [words, chosen]) => { const at = box.value.indexOf(words) + words.length; box.setSelectionRange(at, at + chosen); }",
            [words, chosen],
        )

    caret_behind('"type": "guidance",')
    page.keyboard.type('"desc')
    expect(page.locator("#completions")).to_contain_text("description")
    page.keyboard.press("Enter")
    page.keyboard.type('"Look twice",')
    caret_behind('"default": "', len("load"))
    page.keyboard.type("rea")
    expect(page.locator("#completions li")).to_have_text("read step")
    page.keyboard.press("Escape")
    page.keyboard.type("lity")
    page.keyboard.press("Control+s")
    expect(page.locator("#problems")).to_contain_text("names a step that is not there")
    assert steps_of(company)["read"]["description"] == "Look twice"

    page.keyboard.press("Control+Home")
    page.keyboard.press("F8")
    expect(page.locator("#status")).to_contain_text("Line ")
    page.locator("#problems a").first.press("Enter")
    expect(text).to_be_focused()
    expect(page.locator("[data-text-margin] .error").first).to_be_visible()
    text.press("Control+End")
    page.keyboard.type("}")
    expect(page.locator("[data-text-margin] .error").first).to_have_attribute("title", re.compile("cannot be read"))
    page.keyboard.press("Backspace")
    assert mona.faults() == []


def test_a_step_that_is_added_without_a_connection_is_kept_said_so_and_added_later(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    mona = screens().enter("mona")
    page = mona.go("/workflows/care-review/edit?step=read")
    page.context.set_offline(True)
    page.locator("[data-add-step]").press("Enter")
    page.keyboard.type("guid")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text("is kept here, and added as soon as")
    expect(page.locator("#saved")).to_contain_text("Not connected")
    before = page.url
    page.locator("[data-select=note]").press("Enter")
    expect(page.locator("#saved")).to_contain_text("Not connected")
    expect(page).to_have_url(before)  # the address is that of the step that is shown
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("[data-outline]")).to_contain_text("Guidance")
    expect(page.locator("[data-outline] [data-step=guidance]")).to_have_count(1)
    assert steps_of(company)["read"]["next"] == {"default": "guidance"}
    mona.complaints[:] = [each for each in mona.complaints if "ERR_INTERNET_DISCONNECTED" not in each]
    assert mona.faults() == []


def test_the_keys_of_a_list_are_not_those_of_a_form_with_entries(screens: Callable[..., "Screen"], company: Company) -> None:
    mona = screens().enter("mona")
    page = mona.go("/workflows/care-review/edit?step=is_high")
    page.locator("[data-select=is_high]").focus()
    page.keyboard.press("j")
    expect(page.locator("[data-select=is_high]")).to_be_focused()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys on this page")
    expect(keys).to_contain_text("Add a step of this family behind")
    expect(keys).not_to_contain_text("Row before")
    expect(keys).to_contain_text("Full size")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Add to Branches").press("Enter")
    expect(page.locator(".row")).to_have_count(2)
    assert mona.faults() == []


@pytest.mark.slow
def test_a_draft_without_a_step_is_drawn_and_begun_without_the_mouse(screens: Callable[..., "Screen"], company: Company) -> None:
    title = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"  # Persian, which is not written without its joiner
    made = builder.bring_in(company.mona, json.dumps({"format": 1, "title": title, "steps": []}).encode(), "bare.json", team=None)
    mona = screens().enter("mona")
    page = mona.go(f"/workflows/{made.slug}/edit")
    expect(page.locator("#d-title")).to_have_value(title)
    page.get_by_role("button", name="Add a Start").first.press("Enter")
    expect(page.locator(".x6-node")).to_have_count(1)
    assert mona.faults() == []


@pytest.mark.slow
def test_steps_with_any_names_are_drawn_and_given_names_that_expressions_take(screens: Callable[..., "Screen"], company: Company) -> None:
    names = ["constructor", "__proto__", "with space", "größe"]
    ways = zip(["start", *names], [*names, "end"], strict=True)
    made = workflows.create(company.mona, "Odd names")
    steps = [
        {"id": name, "type": "start" if name == "start" else "guidance", "title": f"Of {name}", "config": {}, "next": {"default": to}}
        for name, to in ways
    ]
    document = {**workflows.open_draft(company.mona, made.slug).document, "steps": [*steps, {"id": "end", "type": "end", "title": "End"}]}
    workflows.edit(company.mona, made.slug, 0, [drafting.SetDocument(value=document)])
    page = screens().enter("mona").go(f"/workflows/{made.slug}/edit")
    expect(page.locator(".x6-node")).to_have_count(4)
    expect(page.locator("[data-outline] [data-step]")).to_have_count(6)
    for left in (2, 1, 0):
        page.get_by_role("button", name="Give it another name").first.press("Enter")
        expect(page.get_by_role("button", name="Give it another name")).to_have_count(left)
    expect(page.locator(".x6-node")).to_have_count(5)
    page.locator("[data-outline] [data-select=constructor]").press("Enter")
    expect(page.locator("#f-title")).to_have_value("Of constructor")
    page.locator("[data-outline] [data-select=with_space]").press("Enter")
    expect(page.locator("#f-title")).to_have_value("Of with space")
    assert (
        page.evaluate("document.getElementById('editor').dataset.order") == '["start", "constructor", "proto", "with_space", "groe", "end"]'
    )
