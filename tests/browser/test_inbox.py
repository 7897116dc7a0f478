"""Inboxes by keyboard alone: take the next ticket, hand it on, take it elsewhere, complete, let go."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from console import workflows
from console.workflows import inboxes
from tests.company import DESK, Company
from tests.support.engine import step
from tests.work.test_inbox import UNRATED

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _inboxes(company: Company) -> None:
    inboxes.import_all([DESK, UNRATED])


def test_a_ticket_goes_from_hand_to_hand_without_a_mouse(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    olivia = screens().sign_in("olivia")
    olivia.go("/c")
    olivia.press("g", "h")
    olivia.heading("Nothing waits for you.")
    olivia.press("g", "i")
    olivia.page.wait_for_url("**/work")
    olivia.go("/inbox/unrated")
    olivia.press("n")
    olivia.page.wait_for_url("**/runs/run_*")
    olivia.heading("Read this")
    run = olivia.page.url.rpartition("/")[2]
    olivia.press("Control+Enter")
    olivia.heading("Take a note")
    olivia.page.fill("textarea", "half a sentence")
    olivia.page.evaluate("document.activeElement.blur()")
    olivia.press("h", "Tab", "Enter")
    olivia.page.wait_for_selector("dialog[open] input[name=inbox]:focus")
    assert olivia.faults() == []
    assert not olivia.page.is_visible(".pop.up .sheet")
    olivia.press("Space", "Tab")
    olivia.page.keyboard.type("A hit that I cannot judge")
    olivia.press("Tab")
    olivia.page.keyboard.type("U")
    olivia.press("Tab", "Tab", "Enter")
    olivia.page.wait_for_selector("text=In the inbox “Compliance desk”")
    olivia.page.wait_for_selector("dialog:not([open])", state="attached")
    assert olivia.faults() == []
    told = company.told(run)
    assert (told["ticket"]["inbox"], told["ticket"]["priority"], told["holder"]) == ("desk", "urgent", None)

    tom = screens(390, 844).enter("tom")
    tom.go("/inbox/desk")
    tom.press("n")
    tom.page.wait_for_url(f"**/runs/{run}")
    tom.heading("Take a note")
    assert tom.page.input_value("textarea") == "half a sentence"
    tom.press("Control+Enter")
    tom.heading("Rate the risk")

    olivia.page.evaluate("document.activeElement.blur()")
    olivia.press("n")
    olivia.page.wait_for_url(lambda url: "/runs/run_" in url and run not in url)


def test_a_run_is_let_go_with_what_was_typed_a_moment_ago(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    run = company.at("note")
    olivia = screens().enter("olivia")
    page = olivia.go(f"/runs/{run}")
    page.fill("textarea", "at the last moment")
    page.evaluate("document.activeElement.blur()")
    olivia.press("h", "Tab", "Tab", "Enter")
    page.wait_for_selector("button:has-text('Take')")
    told = company.told(run)
    assert (told["holder"], told["current"]["draft"]["values"]["note"]) == (None, "at the last moment")


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_a_lead_makes_an_inbox_of_a_filtered_list_and_sees_what_comes_into_it(
    screens: Callable[..., "Screen"], company: Company, width: int, height: int
) -> None:
    inboxes.import_all([DESK])
    steps = [
        step("start", "start", "look"),
        step("look", "guidance", "end", {"text": "Look"}),
        step("end", "end", None),
    ]
    document = {
        "format": 1,
        "slug": "plain-review",
        "title": "Review",
        "collection": "customer",
        "team": "operations",
    }
    workflows.import_file(document | {"steps": steps}, publish=True)
    mona = screens(width, height).enter("mona")
    mona.go("/work?workflow=plain-review")
    mona.page.click("text=Save as inbox")
    mona.page.wait_for_selector("text=Preview: 3 to do")
    mona.page.fill("input[name=title]", "Unrated now")
    mona.page.select_option("select[name=sort]", "-display_name")
    mona.page.wait_for_selector("#rules li >> nth=0 >> text=Halcyon")
    assert mona.page.input_value("input[name=title]") == "Unrated now"
    assert mona.faults() == []
    mona.page.click("button:text('Save')")
    mona.page.wait_for_url("**/inbox/unrated-now/rules")
    assert inboxes.visible_inbox(company.tom, "unrated-now").title == "Unrated now"


def test_a_lead_moves_the_work_of_one_person_to_another(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    ran = [company.started("1", "tom"), company.started("2", "tom")]
    mona = screens().enter("mona")
    mona.go("/")
    mona.press("g", "i")
    mona.page.wait_for_url("**/work")
    mona.page.click("nav.groups a:has-text('Tom')")
    mona.page.wait_for_url("**person=*")
    mona.page.click("input[data-tick-all]")
    mona.page.click("button:text('Reassign')")
    mona.page.click("dialog[open] label:has-text('Olivia')")
    mona.page.fill("dialog[open] [name=reason]", "Tom is ill.")
    mona.page.click("dialog[open] button.primary")
    mona.page.wait_for_selector("text=2 reassigned.")
    assert {company.told(run)["holder"] for run in ran} == {company.olivia.id}
    assert mona.faults() == []
