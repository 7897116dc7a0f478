"""Signing in by keyboard: the second factor, the warning before a session ends, and confirming over a page."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from console.auth import accounts
from console.auth.accounts import entry, entry_changes
from console.infra.db import process_cache
from console.infra.db.engine import fetch
from tests.browser.conftest import Screen
from tests.company import PASSWORD, Company
from tests.views.test_second_factor import code

pytestmark = pytest.mark.slow

SETUP = "/settings/me/second-factor"


def rules(**changes: Any) -> None:
    entry_changes.store(accounts.COMMAND_LINE, dataclasses.replace(entry.current(), **changes))


def test_a_second_factor_is_set_up_and_asked_for_by_keyboard(
    company: Company, screens: Callable[..., Screen]
) -> None:
    rules(second_factor="roles")
    screen = screens()
    page = screen.go("/sign-in")
    faults = screen.faults()
    page.keyboard.type("ines@fernwick.example")
    screen.press("Tab")
    page.keyboard.type(PASSWORD)
    screen.press("Enter")
    page.wait_for_url(f"**{SETUP}")  # before anything else
    secret = page.inner_text("#secret").replace(" ", "")
    faults += screen.faults()
    page.focus("#code")
    page.keyboard.type(code(secret, -1))
    screen.press("Enter")
    page.wait_for_selector("#recovery-codes")
    faults += screen.faults()
    assert page.locator("#recovery-codes li").count() == 10
    screen.go("/settings/me")
    faults += screen.faults()
    screen.go("/settings/sign-in")
    faults += screen.faults()
    narrow = screens(390, 844, "dark")
    page = narrow.go("/sign-in")
    page.fill("#email", "ines@fernwick.example")
    page.fill("#password", PASSWORD)
    narrow.press("Enter")
    page.wait_for_url("**/sign-in/code")
    faults += narrow.faults()
    narrow.focus_on("code")
    page.keyboard.type("000000")
    narrow.press("Enter")
    page.wait_for_selector("#code[aria-invalid=true]")  # the page that asked first had the focus there, too
    narrow.focus_on("code")
    faults += narrow.faults()
    page.keyboard.type(code(secret))
    narrow.press("Enter")
    page.wait_for_url(f"{narrow.url}/")
    for path in (
        "/settings/me",
        SETUP,
        "/settings/sign-in",
        f"/settings/sign-in/of/{company.tom.id}",
        "/step-up",
    ):
        narrow.go(path)
        faults += narrow.faults()
    assert faults == []


def test_before_a_session_ends_one_is_warned_and_nothing_typed_is_lost(
    company: Company, screens: Callable[..., Screen], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_cache, "MAX_AGE_S", 0.0)
    screen = screens().sign_in("olivia")
    rules(idle_minutes=1)
    page = screen.go("/settings/me")
    dialog = page.locator("#session-end")
    expect(dialog).to_be_visible()
    expect(dialog.locator("[data-session-stay]")).to_be_focused()
    assert screen.faults() == []
    rules(idle_minutes=30)
    screen.press("Enter")
    expect(dialog).to_be_hidden()
    page.fill("#name", "Olivia Half-typed")
    page.select_option("#zone", "Europe/Riga")
    rules(idle_minutes=1)
    page.evaluate(
        "document.dispatchEvent(new CustomEvent('htmx:afterOnLoad', { detail: { elt: document.body, xhr: { getResponseHeader: (name) => name === 'X-Session-Left' ? '50' : null } } }))"
    )
    expect(dialog).to_be_visible()
    fetch("update console.session set ended_at = now() returning 1")
    expect(dialog.get_by_role("link", name="Sign in again")).to_be_focused()
    assert "What you typed is kept" in dialog.inner_text()
    rules(idle_minutes=30)
    screen.press("Enter")
    page.wait_for_url("**/sign-in?next=*")
    screen.focus_on("email")
    page.keyboard.type("olivia@fernwick.example")
    screen.press("Tab")
    page.keyboard.type(PASSWORD)
    screen.press("Enter")
    page.wait_for_url("**/settings/me")
    expect(page.locator("#name")).to_have_value("Olivia Half-typed")
    expect(page.locator("#zone")).to_have_value("Europe/Riga")


SETTLED = "() => !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling, .htmx-added')"
FORM = """
const form = document.createElement("form");
form.setAttribute("hx-post", "/settings/me/second-factor/codes");
form.setAttribute("hx-target", "#status");
form.innerHTML = '<label>Typed <input class="input" id="typed" name="typed"></label><button id="go">Go</button>';
form.append(document.querySelector("main [name=csrf_token]").cloneNode());
document.querySelector("#setting").prepend(form);
htmx.process(form);
"""


def test_confirming_happens_over_the_page_and_the_form_goes_out_again(
    company: Company, screens: Callable[..., Screen]
) -> None:
    rules(step_up=True)
    screen = screens().sign_in("olivia")
    page = screen.go("/settings/me")
    page.evaluate(FORM)
    fetch("update console.session set proved_at = now() - interval '1 hour' returning 1")
    page.fill("#typed", "still here")
    page.focus("#go")
    screen.press("Enter")
    expect(page.locator("#dialog #shown")).to_be_focused()
    page.wait_for_function(SETTLED)
    assert screen.faults() == []
    page.keyboard.type("wrong wrong wrong")
    screen.press("Enter")
    expect(page.locator("#shown-error")).to_be_visible()
    page.wait_for_function(
        SETTLED
    )  # else the browser sends the form itself, and the page that goes on by itself takes over
    page.fill("#shown", PASSWORD)
    with page.expect_response(lambda answer: answer.url.endswith("/second-factor/codes")) as again:
        screen.press("Enter")
    assert again.value.status == 409  # confirmed, and then told that there is no second factor
    assert "typed=still%20here" in str(again.value.request.post_data)
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.locator("#typed")).to_have_value("still here")
    page.goto(screen.url + "/c")
    assert page.url.endswith("/c")
