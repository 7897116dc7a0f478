"""What is typed in the workflow editor is never lost: two tabs, the end of the session, an answer that does not arrive."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import Page, Route, expect

from console import workflows
from tests.company import Company

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

EDIT = "/workflows/care-review/edit"
LOOK = "dispatchEvent(new Event('focus'))"
"""What a page hears when somebody comes back to it: it asks what has changed meanwhile."""


def beside(mona: "Screen", step: str) -> Page:
    """Another tab of the same person."""
    page = mona.context.new_page()
    page.goto(f"{mona.url}{EDIT}?step={step}")
    return page


def typed(page: Page, title: str) -> None:
    """A title, and that it is saved."""
    page.locator("#f-title").fill(title)
    expect(page.locator("#saved")).to_contain_text("Saved")
    expect(page.locator("[data-outline]")).to_contain_text(title)


def title_of(company: Company, step: str) -> str:
    steps = workflows.open_draft(company.mona, "care-review").document["steps"]
    return str(next(each["title"] for each in steps if each["id"] == step))


def test_two_tabs_see_each_other_and_a_conflict_waits_for_its_answer_wherever_one_goes(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    mona = screens().enter("mona")
    first, second = mona.go(f"{EDIT}?step=read"), beside(mona, "rate")
    typed(first, "Read this twice")
    second.evaluate(LOOK)
    expect(second.locator("[data-outline]")).to_contain_text("Read this twice")
    expect(second.locator("#saved")).to_contain_text("Changed by")

    first.route(
        "**/edit", lambda route: route.abort()
    )  # what is typed here is not there yet when the other is saved
    first.locator("#f-title").fill("Read it never")
    expect(first.locator("#saved")).to_contain_text("Not connected")
    second.locator("[data-outline] [data-select=read]").click()
    expect(second.locator("#f-title")).to_have_value("Read this twice")
    typed(second, "Read it once")
    first.unroute("**/edit")
    expect(first.locator("[data-conflict]")).to_contain_text("you changed the same elsewhere")
    expect(first.locator("#f-title")).to_be_focused()  # who is typing is not taken to a button
    first.locator("[data-outline] [data-select=rate]").click()
    expect(first.locator("#panel h2")).to_have_text("Rate the risk")
    first.get_by_role("button", name="Keep mine").click()
    expect(first.locator("#saved")).to_contain_text("Saved")
    assert title_of(company, "read") == "Read it never"
    mona.complaints[:] = [each for each in mona.complaints if "ERR_FAILED" not in each]


def test_who_is_signed_out_elsewhere_in_mid_edit_goes_on_after_signing_in_again(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    mona = screens()
    page = mona.sign_in("mona").go(f"{EDIT}?step=read")
    other = mona.context.new_page()

    def sign_out() -> None:
        other.goto(f"{mona.url}/settings/me")
        other.get_by_role("button", name="Sign out", exact=True).click()
        other.wait_for_url("**/sign-in**")

    sign_out()
    page.locator("#f-title").fill("Read this twice")
    expect(page.locator("[data-signed-out]")).to_contain_text("is saved as soon as you sign in again")
    page.get_by_role("link", name="Sign in again").wait_for()
    assert mona.faults() == []
    assert title_of(company, "read") == "Read this"
    mona.enter("mona")  # in another tab
    page.evaluate(LOOK)
    expect(page.locator("#saved")).to_contain_text("Saved")
    expect(page.locator("#refusal")).to_be_empty()
    assert title_of(company, "read") == "Read this twice"

    sign_out()
    page.locator("#f-title").fill("Read this aloud")
    expect(page.locator("[data-signed-out]")).to_be_visible()
    mona.enter("stan")  # nothing of hers is saved in his name
    page.evaluate(LOOK)
    expect(page.locator("#saved")).to_contain_text("Not saved")
    mona.enter("mona")
    page.evaluate(LOOK)
    expect(page.locator("#saved")).to_contain_text("Saved")
    assert title_of(company, "read") == "Read this aloud"


def test_an_answer_that_is_lost_doubles_nothing_and_what_a_killed_tab_typed_is_saved_by_the_next(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    mona = screens().enter("mona")
    page = mona.go(f"{EDIT}?step=read")
    lost: list[str] = []

    def lose(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().text())
            route.abort()
        else:
            route.continue_()

    page.route("**/edit*", lose)
    page.get_by_role("button", name="Add step").click()
    page.keyboard.type("guid")
    page.keyboard.press("Enter")
    expect(page.locator("#saved")).to_contain_text("Not connected")
    page.locator("[data-outline] [data-select=rate]").click()
    typed(page, "Rate it")
    ids = [each["id"] for each in workflows.open_draft(company.mona, "care-review").document["steps"]]
    assert lost
    assert [each for each in ids if each.startswith("guidance")] == ["guidance"]

    other = beside(mona, "read")
    mona.context.set_offline(True)
    page.locator("#f-title").fill("Rate it twice")
    expect(page.locator("#saved")).to_contain_text("Not connected")
    other.locator("#f-title").fill("Read it twice")
    expect(other.locator("#saved")).to_contain_text("Not connected")
    mona.context.set_offline(False)
    page.close(run_before_unload=False)
    expect(other.locator("#saved")).to_contain_text("Saved")
    third = beside(mona, "rate")
    expect(third.locator("[data-outline]")).to_contain_text("Rate it twice")
    expect(third.locator("[data-outline]")).to_contain_text("Read it twice")
    mona.complaints[:] = [
        each
        for each in mona.complaints
        if "ERR_INTERNET_DISCONNECTED" not in each and "ERR_FAILED" not in each
    ]
