"""A workspace in a browser: a choice redraws what depends on it and nothing else, Back undoes it; the builder by keyboard alone."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Route

from console import workspaces
from tests.company import Company
from tests.views.test_workspace_pages import DESK, publish

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow


def test_a_choice_redraws_what_depends_on_it_and_back_undoes_it(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    publish(DESK)
    olivia = screens().enter("olivia")
    page = olivia.go("/w/desk")
    page.wait_for_selector("handrail-chart canvas")
    page.focus("#part-shares summary")
    olivia.press("Enter")
    page.wait_for_url("**open-tables=*")
    page.evaluate(
        "document.getElementById('part-people').kept = document.getElementById('part-hello').kept = true"
    )
    page.click("a.pick:has-text('Adaeze')")
    page.wait_for_selector("#part-who dd:has-text('adaeze@customers.example')")
    page.wait_for_url("**/w/desk?customer=1**")
    assert page.evaluate(
        "[document.getElementById('part-people').kept, document.getElementById('part-hello').kept]"
    ) == [True, True]
    assert page.get_attribute("a.pick[aria-current]", "data-value") == "1"
    page.focus("#part-desks-box")
    page.select_option("#part-desks-box", "corporate")
    page.wait_for_url("**/w/desk?customer=1&*on=corporate")
    page.wait_for_selector("a.pick:has-text('Adaeze')", state="detached")
    assert page.evaluate("document.activeElement.id") == "part-desks-box"
    page.click("a.pick:has-text('Halcyon')")
    page.wait_for_selector("#part-mine:has-text('900')")
    page.wait_for_url("**customer=3&*on=corporate")  # a row that was drawn later knows what was chosen before
    page.locator("#part-find-box").press_sequentially("Halc")
    page.wait_for_url("**&q=Halc")  # as one types, also where something is chosen
    page.go_back()
    page.go_back()  # the answer to the first comes to nothing
    page.wait_for_selector("#part-who dd:has-text('adaeze@customers.example')")
    page.wait_for_selector("#part-shares details[open] td")
    page.click("#part-shares summary")
    page.wait_for_function("() => !location.search.includes('open-tables')")
    assert olivia.faults() == []


def test_a_workspace_is_built_by_keyboard(screens: Callable[..., "Screen"], company: Company) -> None:
    workspaces.create(company.ines, DESK)
    ines = screens().enter("ines")
    page = ines.go("/w/desk/edit")

    def order() -> list[str]:
        return [item.id for item in workspaces.open_workspace(company.ines, "desk").document.components]

    page.focus(".palette a:has-text('Divider')")
    ines.press("Enter")
    page.wait_for_function("() => document.activeElement.matches('.settings-pane form select')")
    page.focus(".palette a:has-text('Collection')")
    ines.press("Enter")
    page.wait_for_selector("#f-collection")
    ines.settled()
    page.focus("#f-collection")
    page.keyboard.type("Accounts", delay=40)
    page.wait_for_selector(".settings-pane :text('Iban'), .settings-pane :text('IBAN')", state="attached")
    ines.settled()
    assert page.locator("#f-collection option:checked").inner_text().startswith("Accounts"), (
        "drawing the form anew waits until it is typed"
    )
    page.focus("#node-desks")
    ines.press("Alt+ArrowUp")
    page.wait_for_selector("#builder[data-announce*='moved up']")
    assert order()[:2] == ["desks", "find"]
    ines.press("Alt+ArrowLeft")
    page.wait_for_selector("#builder[data-announce*='narrower']")
    assert page.evaluate("document.activeElement.id") == "node-desks"
    ines.press("Enter")
    page.wait_for_selector("#f-label")
    ines.settled()
    page.press("#node-hello", "Enter")
    page.wait_for_selector("textarea#f-text")
    page.fill("#f-text", "Hello na")
    assert page.locator("#completions").is_hidden(), (
        "words outside braces complete nothing: Tab would turn them into a name"
    )
    page.fill("#f-text", "Hello {{ me.ema")
    ines.press("Enter")
    assert page.input_value("#f-text") == "Hello {{ me.email }}"
    ines.press("Tab")
    page.wait_for_selector("#builder[data-announce='Saved in the draft.']")
    assert page.input_value("#f-text") == "Hello {{ me.email }}"
    assert (
        workspaces.open_workspace(company.ines, "desk").document.component("hello").text  # type: ignore[union-attr]
        == "Hello {{ me.email }}"
    )

    page.evaluate(
        """() => document.querySelector("#names").append(...["steps.read.record.amount", "record.amount_minor", "record.amount"].map(name => new Option(name, name)))"""
    )
    for typed, after in (
        ("{{ record.amount", "{{ record.amount"),
        ("{{ amount", "{{ amount"),
        ("{{ record.amount_m", "{{ record.amount_minor }}"),
    ):
        page.fill("#f-text", typed)
        page.wait_for_selector("#completions:not([hidden])")
        ines.press("Tab")
        assert page.input_value("#f-text") == after, (
            "a whole name stays, and nothing is put before what was typed"
        )
        page.focus("#f-text")
    page.fill("#f-text", "{{ amount")
    ines.press("ArrowDown", "Enter")
    assert page.input_value("#f-text") == "{{ steps.read.record.amount }}", (
        "another one is chosen by its arrow"
    )

    def late(route: Route) -> None:
        page.wait_for_timeout(400)
        route.continue_()

    for waits in (False, True):  # the click comes before the save begins, and while it runs
        if waits:
            page.route("**/w/desk/edit/hello", late)
        page.fill("#f-text", f"Typed {waits}")
        if waits:
            page.evaluate("document.querySelector('form[data-autosave]').requestSubmit()")
        page.get_by_role("complementary", name="Add").get_by_text("Divider").click()
        page.get_by_role("heading", name="Add Divider").wait_for()
        ines.settled()
        assert page.get_by_role("heading", name="Add Divider").is_visible(), (
            "the answer to the save does not take it away"
        )
        assert (
            workspaces.open_workspace(company.ines, "desk").document.component("hello").text  # type: ignore[union-attr]
            == f"Typed {waits}"
        )
        page.click("#node-hello")
        page.wait_for_selector("textarea#f-text")
    page.unroute_all()
    assert ines.faults() == []
