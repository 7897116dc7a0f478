"""The workflow editor in a browser: from New workflow to the first finished run without the mouse; two people; the network away; a telephone."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from console import workflows
from tests.company import Company

if TYPE_CHECKING:
    from tests.browser.conftest import Screen


def test_from_new_workflow_to_the_first_finished_run_without_the_mouse(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    mona = screens().enter("mona")
    page = mona.go("/workflows")
    page.get_by_role("link", name="New workflow").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Title").focus()
    page.keyboard.type("Call back")
    expect(page.get_by_label("Empty")).to_be_checked()
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-outline] [data-step=start]")
    page.wait_for_load_state("domcontentloaded")  # its scripts are there

    for search, words in (("guid", "Guidance"), ("end", "End")):
        page.get_by_role("button", name="Add step").focus()
        page.keyboard.press("Enter")
        page.keyboard.type(search)
        page.keyboard.press("Enter")
        expect(page.locator("#panel h2")).to_have_text(words)
        expect(page.locator("#f-title")).to_be_focused()
        if words == "Guidance":
            page.keyboard.type("Ask for the call")
            page.locator("#f-config-text").focus()
            page.keyboard.type("Call **them**. {{ steps.nowhere.x }}")
            page.keyboard.press("Control+s")
            expect(page.locator("#f-config-text-error")).to_contain_text("There is no step nowhere")
            page.keyboard.press("Control+z")
            expect(page.locator("#f-config-text")).to_have_value("")
            page.keyboard.press("Control+Shift+z")
            expect(page.locator("#f-config-text")).to_have_value("Call **them**. {{ steps.nowhere.x }}")
            for _ in range(len("{{ steps.nowhere.x }}")):
                page.keyboard.press("Backspace")
            page.keyboard.press("Control+s")
            expect(page.locator("#f-config-text-error")).to_have_count(0)
    page.locator("[data-select=guidance]").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Leads to")).to_have_value("end")
    expect(page.locator("#problems")).to_contain_text("No problems")
    assert mona.faults() == []

    page.get_by_role("link", name="Publish").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Note").focus()
    page.keyboard.type("The first one.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/workflows/call-back")
    page.get_by_role("link", name="Start", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/start")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/runs/**")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".badge", has_text="Done").first).to_be_visible()
    assert mona.faults() == []


def test_two_people_the_network_away_and_a_killed_page_lose_nothing(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    mona = screens().enter("mona")
    page = mona.go("/workflows/care-review/edit?step=read")
    page.context.set_offline(True)
    page.locator("#f-title").fill("Read this twice")
    expect(page.locator("#saved")).to_contain_text("Not connected")
    page.close(run_before_unload=False)
    assert workflows.open_draft(company.mona, "care-review").revision == 0
    again = mona.page.context.new_page()
    again.context.set_offline(False)
    again.goto(f"{mona.url}/workflows/care-review/edit?step=read")
    expect(again.locator("#saved")).to_contain_text("Saved")
    expect(again.locator("[data-outline]")).to_contain_text("Read this twice")
    mona.complaints[:] = [each for each in mona.complaints if "ERR_INTERNET_DISCONNECTED" not in each]


def test_a_lead_writes_a_rule_and_names_a_value_without_an_expression(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    mona = screens().enter("mona")
    page = mona.go("/workflows/care-review/edit?step=start")
    page.get_by_role("button", name="Add step").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("condition")
    page.keyboard.press("Enter")
    expect(page.locator("#f-title")).to_be_focused()
    page.get_by_role("button", name="Add to Branches").press("Enter")
    field = page.get_by_label("What is compared")
    field.focus()
    kind = field.locator("option[data-kind=text]").first
    path = kind.get_attribute("value")
    field.select_option(value=path)
    page.get_by_label("How", exact=True).select_option(label="starts with")
    page.get_by_label("With what").fill('O"Neil')
    rule = page.locator("#f-config-branches-0-if")
    expect(rule).to_have_value(f'{path}.startsWith("O\\"Neil")')
    page.get_by_role("button", name="Add a condition").press("Enter")
    page.get_by_label("Outcome").fill("Over 500 €")
    page.keyboard.press("Control+s")
    expect(page.locator("#saved")).to_contain_text("Saved")
    expect(page.locator(".condition-row")).to_have_count(2)  # the one that says nothing yet is kept
    page.get_by_role("button", name="Remove condition 2").press("Enter")
    condition = workflows.open_draft(company.mona, "care-review").document["steps"][1]
    assert condition["config"]["branches"] == [
        {"if": f'{path}.startsWith("O\\"Neil")', "outcome": "over_500"}
    ]

    page.get_by_role("button", name="Add step").press("Enter")  # stands on the way that leads nowhere yet
    page.keyboard.type("guidance")
    page.keyboard.press("Enter")
    expect(page.locator("#panel h2")).to_have_text("Guidance")
    page.locator("#f-config-text").press_sequentially("Call {")
    expect(page.get_by_role("option", name=path)).to_be_visible()
    page.get_by_role("option", name=path).click()
    expect(page.locator("#f-config-text")).to_have_value(f"Call {{{{ {path} }}}}")
    page.keyboard.press("Control+s")
    expect(page.locator("#saved")).to_contain_text("Saved")
    steps = {
        step["id"]: step["next"]
        for step in workflows.open_draft(company.mona, "care-review").document["steps"]
    }
    assert steps["condition"]["over_500"] == "guidance"
    assert steps["guidance"] == {"default": steps["condition"]["default"]}

    page.get_by_role("link", name="About the workflow").press(
        "Enter"
    )  # what starts it: by keyboard alone, the sentence follows
    page.get_by_role("button", name="Add an event").press("Enter")
    expect(page.locator("#f-triggers-0-on")).to_be_focused()
    expect(page.locator("#d-trigger-0 > summary")).to_contain_text("nothing starts it yet")
    page.keyboard.type("A record was ch")
    expect(page.locator("#d-trigger-0 > summary")).to_contain_text("Starts a run: a record was changed.")
    page.locator("#d-trigger-0").get_by_label("What is compared").select_option(value=path)
    page.locator("#d-trigger-0").get_by_label("How", exact=True).select_option(label="is not empty")
    expect(page.locator("#d-trigger-0 > summary")).to_contain_text("is not empty.")
    page.get_by_label("Coming again").select_option(label="Never")
    page.get_by_role("button", name="Add a reason to leave").press("Enter")
    expect(page.get_by_label("What is compared").last).to_be_focused()
    page.get_by_label("Because").fill("settled")
    page.keyboard.press("Control+s")
    expect(page.locator("#saved")).to_contain_text("Saved")
    document = workflows.open_draft(company.mona, "care-review").document
    assert document["triggers"] == [
        {"id": "event", "kind": "event", "on": "record.updated", "filter": f"{path} != null"}
    ]
    assert (document["exits"], document["reenrol"]) == ([{"reason": "settled"}], "never")
    assert mona.faults() == []


@pytest.mark.slow
def test_the_outline_is_the_editor_on_a_telephone(screens: Callable[..., "Screen"], company: Company) -> None:
    mona = screens(390, 844).enter("mona")
    page = mona.go("/workflows/care-review/edit?step=start")
    expect(page.locator("[data-outline] [data-step]").first).to_be_visible()
    assert mona.faults() == []


@pytest.mark.slow
def test_ways_and_places_are_changed_by_dragging_on_the_canvas(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    page = screens().enter("mona").go("/workflows/care-review/edit?step=read")

    def drag(what: str, *, to: str | None = None, by: tuple[int, int] = (0, 0)) -> None:
        start = page.locator(what).first.bounding_box()
        end = page.locator(to).bounding_box() if to else None
        assert start
        x, y = start["x"] + 5, start["y"] + 5
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(*((end["x"] + 90, end["y"] + 20) if end else (x + by[0], y + by[1])), steps=8)
        page.mouse.up()

    page.wait_for_selector("[data-cell-id=read] [port='out:default']")
    drag("[data-cell-id=read] [port='out:default']", to="[data-cell-id=rate]")
    expect(page.get_by_label("Leads to")).to_have_value("rate")
    drag("[data-cell-id=decide]", by=(120, 40))
    expect(page.locator("#editor")).to_have_attribute("data-revision", "2")
    assert all(step.get("at") for step in workflows.open_draft(company.mona, "care-review").document["steps"])
    drag("[data-cell-id=read] [port='out:default']", by=(-260, 10))
    expect(page.get_by_role("combobox", name="Search step types")).to_be_focused()
