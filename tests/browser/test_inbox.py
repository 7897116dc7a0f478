"""Inboxes by keyboard alone: take the next ticket, hand it on, take it elsewhere, complete, next; give several to somebody."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from console import inboxes
from console.views import home
from tests.company import DESK, Company
from tests.work.test_inbox import UNRATED
from tests.work.test_tickets import handed_on

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _inboxes(company: Company) -> None:
    inboxes.import_all([DESK, UNRATED])


def test_a_ticket_goes_from_hand_to_hand_without_a_mouse(screens: Callable[..., "Screen"], company: Company) -> None:
    olivia = screens().sign_in("olivia")
    olivia.go("/c")
    olivia.press("g", "h")
    olivia.heading("Nothing waits for you.")
    olivia.press("g", "i")
    olivia.page.wait_for_url("**/inbox")
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


def test_a_run_is_let_go_with_what_was_typed_a_moment_ago(screens: Callable[..., "Screen"], company: Company) -> None:
    run = company.at("note")
    olivia = screens().enter("olivia")
    page = olivia.go(f"/runs/{run}")
    page.fill("textarea", "at the last moment")
    page.evaluate("document.activeElement.blur()")
    olivia.press("h", "Tab", "Tab", "Enter")
    page.wait_for_selector("text=Resume")
    told = company.told(run)
    assert (told["holder"], told["current"]["draft"]["values"]["note"]) == (None, "at the last moment")


def test_my_work_follows_by_itself_and_keeps_the_focus(screens: Callable[..., "Screen"], company: Company) -> None:
    olivia = screens().enter("olivia")
    olivia.page.clock.install()
    page = olivia.go("/")
    page.focus("[aria-label='All inboxes']")
    handed_on(company, "2", by="tom")
    with page.expect_response(lambda answer: "/?seen=" in answer.url) as asked:
        page.clock.fast_forward(home.POLL_S * 1000)
    assert asked.value.status == 200
    page.wait_for_selector("#inbox-boxes li:first-child .many:text('1')")
    assert page.evaluate("document.activeElement.ariaLabel") == "All inboxes"
    with page.expect_response(lambda answer: "/?seen=" in answer.url) as again:
        page.evaluate(
            "htmx.ajax('GET', document.getElementById('work').getAttribute('hx-get'), {source: '#work', target: '#work', swap: 'morph:outerHTML'})"
        )
    assert again.value.status == 204


def test_several_are_given_to_somebody_without_a_mouse(screens: Callable[..., "Screen"], company: Company) -> None:
    mona = screens().enter("mona")
    page = mona.go("/inbox/unrated")
    for place in (0, 1):
        page.focus(f"input[type=checkbox] >> nth={place}")
        mona.press("Space")
    page.evaluate("document.activeElement.blur()")
    mona.press("a")
    page.wait_for_selector("dialog[open] #assign-q:focus")
    assert "Assign 2 tickets" in page.inner_text("#dialog-title")
    page.keyboard.type("oliv")
    page.wait_for_function("() => document.querySelectorAll('#people input').length === 1")
    assert mona.faults() == []
    page.focus("#people input")
    mona.press("Space", "Enter")
    page.wait_for_url("**/inbox/unrated?view=backlog")
    assert page.locator("text=With Olivia").count() == 2


def test_without_script_tickets_are_taken_and_given(screens: Callable[..., "Screen"], company: Company) -> None:
    mona = screens(script=False).enter("mona")
    page = mona.go("/inbox/unrated")
    page.check("input[type=checkbox] >> nth=0")
    page.click("text=Assign…")
    assert "csrf" not in page.url
    page.check("label:has-text('Tom') input")
    page.click("button:has-text('Assign')")
    page.wait_for_url("**/inbox/unrated?view=backlog")
    page.check("input[type=checkbox] >> nth=0")
    page.click("text=Unassign")
    page.wait_for_url("**/inbox/unrated?view=backlog")
    assert page.locator("text=Nobody has a ticket").count() == 1
