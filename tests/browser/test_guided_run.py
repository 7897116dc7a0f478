"""A guided run in a browser: by keyboard from sign-in to replay, stale tabs, two clicks, and without script."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.company import Company

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

NOTE = "Looked at it."


def test_a_run_from_sign_in_to_replay_by_keyboard_alone(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    olivia = screens().sign_in("olivia")
    olivia.press("g", "r")
    olivia.page.wait_for_selector("h1:has-text('Records')")
    olivia.go("/c/customer")
    olivia.press("j", "Enter")
    olivia.page.wait_for_selector("h1:has-text('Adaeze')")
    olivia.press("s")
    olivia.page.wait_for_selector("dialog[open]")
    olivia.focus_on("f-why")
    olivia.press("P", "Control+Enter")
    olivia.page.wait_for_url(re.compile("/runs/run_"))
    run = olivia.page.url.rpartition("/")[2]

    olivia.press("Control+Enter")
    olivia.heading("Take a note")
    olivia.focus_on("step-title")
    olivia.page.wait_for_function(
        "() => document.getElementById('status').textContent.startsWith('Take a note')"
    )
    assert olivia.page.title() == "Take a note, Care review, Adaeze Okonkwo-Bell"
    olivia.press("Control+Enter")
    olivia.page.wait_for_selector("[role=alert]")
    olivia.focus_on("f-note")
    olivia.page.keyboard.type(NOTE)
    olivia.page.wait_for_selector("#saved:has-text('Draft saved')")
    assert olivia.page.locator("#run.changed, #run #run").count() == 0
    olivia.press("Control+s")
    olivia.page.wait_for_selector("text=Saved, to continue")

    tom = screens().sign_in("tom")
    tom.press("s")
    tom.page.wait_for_url(re.compile(run))
    assert tom.page.input_value("#f-note") == NOTE
    tom.press("Control+Enter")
    tom.heading("Rate the risk")
    tom.press("r")
    tom.page.wait_for_selector("dialog[open]")
    assert "Rate the risk" in tom.page.inner_text("dialog")
    tom.page.keyboard.type("The note was too short.")
    tom.press("Control+Enter")
    tom.heading("Take a note")
    assert not tom.page.query_selector("dialog[open]")
    assert tom.page.input_value("#f-note") == NOTE
    tom.press("Control+Enter")
    tom.heading("Rate the risk")
    tom.page.focus("#f-risk")
    tom.press("h")
    assert "High" in tom.page.inner_text(".swap:not([hidden])")
    tom.press("Control+Enter")
    tom.heading("Decide")
    tom.page.focus("input[name=outcome]")
    tom.press("Space", "Control+Enter")
    tom.heading("Care review is done")
    assert company.sql("select risk from customer where id = 1") == [("high",)]

    tom.press("p")
    tom.page.wait_for_url(re.compile("/replay"))
    last = tom.page.inner_text(".said b")
    assert last.startswith("1 of ")
    tom.press("j")
    tom.page.wait_for_function("(last) => document.querySelector('.said b').textContent !== last", arg=last)
    assert "at=" in tom.page.url
    tom.page.go_back()
    tom.page.wait_for_function("(last) => document.querySelector('.said b').textContent === last", arg=last)


def test_a_stale_tab_keeps_its_text_and_shows_the_way_on(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    run = company.at("note")
    olivia = screens().enter("olivia")
    page = olivia.go(f"/runs/{run}")
    company.answer(run)
    page.fill("#f-note", "typed in a tab from before")
    page.wait_for_selector("text=This run moved on")
    olivia.press("Control+Enter")
    page.wait_for_function("() => !document.querySelector('.htmx-request')")
    assert page.input_value("#f-note") == "typed in a tab from before"
    page.click("text=Go to current step")
    olivia.heading("Rate the risk")


def test_two_quick_clicks_complete_one_step(screens: Callable[..., "Screen"], company: Company) -> None:
    run = company.started()
    olivia = screens().enter("olivia")
    olivia.go(f"/runs/{run}").dblclick("#done")
    olivia.heading("Take a note")
    done = [attempt["step"] for attempt in company.told(run)["attempts"] if attempt["status"] == "done"]
    assert done == ["start", "load", "read"]


def test_it_all_works_without_script(screens: Callable[..., "Screen"], company: Company) -> None:
    olivia = screens(script=False)
    page = olivia.go("/c/customer/1")
    page.fill("#email", "olivia@fernwick.example")
    page.fill("#password", "correct horse battery staple")
    page.click("button:has-text('Sign in')")
    page.click("a:has-text('Start Care review')")
    page.select_option("#f-why", "event")
    page.click("button:has-text('Start')")
    page.click("#done")
    page.fill("#f-note", NOTE)
    page.click("#done")
    page.click("#done")
    page.check("input[value=approve]")
    page.click("#done")
    page.wait_for_selector("h2:has-text('Care review is done')")
    page.click("a:has-text('Replay')")
    page.click("[aria-label='Next decision']")
    assert "at=" in page.url
