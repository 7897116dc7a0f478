"""What is typed in the workflow editor is never lost: two tabs, two people, the end of the session, a killed page, an answer that does not arrive, text."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, Route, expect

from console import workflows
from console.core import drafting
from tests.company import Company
from tests.publication.test_publishing_reviews import second_lead

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


IN_NO_STORE = """() => new Promise((done) => { const asked = indexedDB.open("handrail drafts", 1); asked.onsuccess = () => {
    const kept = asked.result.transaction("drafts").objectStore("drafts").count(); kept.onsuccess = () => done(kept.result === 0); }; })"""


def test_two_tabs_see_each_other_and_a_conflict_waits_for_its_answer_wherever_one_goes(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    mona = screens().enter("mona")
    first, second = mona.go(f"{EDIT}?step=read"), beside(mona, "rate")
    typed(first, "Read this twice")
    second.evaluate(LOOK)
    expect(second.locator("[data-outline]")).to_contain_text("Read this twice")
    expect(second.locator("#saved")).to_contain_text("Changed by")

    first.route("**/edit", lambda route: route.abort())  # what is typed here is not there yet when the other is saved
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


def test_who_takes_theirs_sees_it_as_saved_and_goes_on_with_the_rest_of_their_own(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    mona = screens().enter("mona")
    first = mona.go(f"{EDIT}?step=read")
    first.context.set_offline(True)
    first.locator("#f-title").fill("Read it never")
    expect(first.locator("#saved")).to_contain_text("Not connected")
    tom = second_lead(company)
    theirs = {"op": "set", "step": "read", "field": "title", "value": "Read it once"}
    workflows.edit(tom, "care-review", workflows.open_draft(tom, "care-review").revision, drafting.read_changes([theirs]))
    first.context.set_offline(False)
    expect(first.locator("[data-conflict]")).to_contain_text("Tom changed the same")
    mona.complaints[:] = [each for each in mona.complaints if "ERR_INTERNET_DISCONNECTED" not in each]
    assert mona.faults() == []
    first.get_by_role("button", name="Take theirs").click()
    expect(first.locator("#f-title")).to_have_value("Read it once")
    expect(first.locator("#saved")).to_have_text("Saved")
    typed(first, "Read it at last")
    assert title_of(company, "read") == "Read it at last"


def test_who_is_signed_out_elsewhere_in_mid_edit_goes_on_after_signing_in_again(screens: Callable[..., "Screen"], company: Company) -> None:
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
    mona.complaints[:] = [each for each in mona.complaints if "ERR_INTERNET_DISCONNECTED" not in each and "ERR_FAILED" not in each]


@pytest.mark.slow
def test_after_a_crash_the_database_of_the_browser_tells_what_was_not_saved(screens: Callable[..., "Screen"], company: Company) -> None:
    mona = screens().enter("mona")
    page = mona.go(f"{EDIT}?step=read")
    mona.context.set_offline(True)
    page.locator("#f-title").fill("Read it before the crash")
    expect(page.locator("#saved")).to_contain_text("Not connected")
    page.evaluate("localStorage.clear()")  # a browser that is killed has not written it to the disk yet
    page.close(run_before_unload=False)
    mona.context.set_offline(False)
    again = beside(mona, "rate")
    expect(again.locator("[data-outline]")).to_contain_text("Read it before the crash")
    expect(again.locator("#saved")).to_contain_text("Saved")
    assert title_of(company, "read") == "Read it before the crash"
    again.wait_for_function(IN_NO_STORE)
    mona.complaints[:] = [each for each in mona.complaints if "ERR_INTERNET_DISCONNECTED" not in each]


def test_text_keeps_what_others_change_and_what_cannot_be_read_yet(screens: Callable[..., "Screen"], company: Company) -> None:
    mona = screens().enter("mona")
    page, other = mona.go(f"{EDIT}?view=text"), beside(mona, "rate")

    def put_in(before: str, words: str) -> None:
        page.locator("#text").evaluate(
            "(box, before) => { box.focus(); box.setSelectionRange(box.value.indexOf(before), box.value.indexOf(before)); }", before
        )
        page.keyboard.type(words)

    typed(other, "Rate it")
    put_in("Read this", "Please: ")
    expect(page.locator("#text")).to_have_value(re.compile("Rate it"))
    page.keyboard.type("now ")
    expect(page.locator("#saved")).to_contain_text("Saved")
    expect(page.locator("[data-outline]")).to_contain_text("Please: now Read this")
    assert (title_of(company, "read"), title_of(company, "rate")) == ("Please: now Read this", "Rate it")

    put_in("{", "broken ")
    expect(page.locator("#saved")).to_contain_text("Not saved")
    page.locator("[data-outline] [data-select=rate]").click()
    expect(page.locator("#refusal")).to_contain_text("Mend the text")
    page.close(run_before_unload=False)
    again = beside(mona, "read")
    expect(again.locator("#text")).to_have_value(re.compile("^broken "))


@pytest.mark.slow
def test_the_list_of_step_types_stays_while_an_answer_comes_and_esc_leads_back(screens: Callable[..., "Screen"], company: Company) -> None:
    assert company.people
    mona = screens().enter("mona")
    page = mona.go(f"{EDIT}?step=read")
    page.locator("#f-title").fill("Read this twice")
    page.get_by_role("button", name="Add step").click()
    expect(page.locator("#saved")).to_contain_text("Saved")
    expect(page.get_by_role("combobox", name="Search step types")).to_be_focused()
    page.keyboard.type("dec")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Add step")).to_be_focused()
    page.locator("#f-title").focus()
    page.keyboard.press("Escape")
    expect(page.locator("[data-outline] [data-select=read]")).to_be_focused()
    expect(page.locator("[data-cell-id=read]")).to_contain_text("Read this twice")
    assert mona.faults() == []
