"""A refund above 500 needs a second person: a lead puts that into Customer refund by keyboard alone, publishes it, and a run asks."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from console.demo import payments
from console.postgres import Embedded
from tests.browser.conftest import served
from tests.demo.refunding import Desk, opened

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow
ASKED = "A second person agrees"


@pytest.fixture(scope="module")
def desk(pg: Embedded, template: str, suite_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with opened(pg, template, suite_folder, tmp_path_factory.mktemp("provider")) as made:
        yield made


@pytest.fixture
def url(desk: Desk) -> Iterator[str]:
    """Where the desk's console is served, in place of the small company's."""
    with served() as address:
        yield address


def edited(mona: "Screen") -> None:
    """The step, who is asked, when, and where a no leads."""
    page = mona.go("/workflows")
    page.get_by_role("link", name="Customer refund", exact=True).press("Enter")
    page.get_by_role("link", name="Edit", exact=True).press("Enter")
    page.wait_for_selector("[data-outline] [data-step=as_of_now]")
    page.locator("[data-select=as_of_now]").press("Enter")
    expect(page.locator("#f-title")).to_be_focused()
    page.get_by_role("button", name="Add step").press("Enter")
    page.keyboard.type("second person")
    page.keyboard.press("Enter")
    expect(page.locator("#panel h2")).to_have_text("Approval")
    expect(page.locator("#f-title")).to_be_focused()
    page.keyboard.type(ASKED)
    page.locator("#f-config-text").focus()
    page.keyboard.type("More than 500 go back. Agree?")
    page.locator("#panel").get_by_label("Operations lead").first.focus()
    page.keyboard.press("Space")
    page.get_by_label("What is compared").select_option("record.amount_minor")
    page.get_by_label("How", exact=True).select_option(label="is more than")
    page.get_by_label("With what").focus()
    page.keyboard.type("500")
    expect(page.locator("#panel")).to_contain_text("In the currency of each amount")
    page.get_by_label("Leads to: Rejected").select_option(label="What do we do?")
    page.get_by_role("button", name="Put a Go to in between").press("Enter")
    expect(page.locator("#problems")).to_contain_text("No problems")
    expect(page.locator("#saved")).to_contain_text("Saved")
    assert mona.faults() == []


def chosen(olivia: "Screen", run: str, because: str = "") -> None:
    """All of the charge is to go back."""
    page = olivia.go(run)
    olivia.heading("What do we do?")
    page.focus("input[name=outcome][value=refund_full]")
    olivia.press("Space")
    page.focus("#f-why")
    olivia.press("N", "Control+Enter")
    if because:
        page.wait_for_selector("#f-why_because")
        olivia.focus_on("f-why_because")
        page.keyboard.type(because)
        olivia.press("Control+Enter")


def test_a_lead_lets_a_second_person_decide_above_500_and_runs_ask(screens: Callable[..., "Screen"], desk: Desk) -> None:
    mona = screens().enter("mona")
    edited(mona)
    page = mona.page
    page.get_by_role("link", name="Publish").press("Enter")
    page.get_by_role("textbox", name="Note").focus()
    page.keyboard.type("Above 500 a second person agrees.")
    page.locator("main form").get_by_role("button", name="Publish").press("Enter")
    page.wait_for_url("**/workflows/customer-refund")

    olivia = screens().enter("olivia")
    chosen(olivia, f"/runs/{desk.start(payments.PLAIN[2])}", "The carrier lost it")
    olivia.heading("Send the refund")

    chosen(olivia, f"/runs/{desk.start(desk.another(10_000, 'JPY'))}")  # ten thousand yen, held without cents
    olivia.heading(ASKED)

    run = f"/runs/{desk.start(desk.another(90_000))}"
    chosen(olivia, run)
    olivia.heading(ASKED)
    mona.go("/approvals").locator(".requests a").first.press("Enter")
    expect(page.locator("h1")).to_contain_text(ASKED)
    page.get_by_label("Reason or question").focus()
    page.keyboard.type("Ask the carrier first.")
    page.get_by_role("button", name="Reject").press("Enter")
    expect(page.locator("main")).to_contain_text("Mona Verbeek rejected")
    chosen(olivia, run)
    olivia.heading(ASKED)
    mona.go("/approvals").locator(".requests a").first.press("Enter")
    mona.press("Control+Enter")
    expect(page.locator("main")).to_contain_text("Mona Verbeek approved")
    olivia.go(run)
    olivia.heading("Send the refund")
