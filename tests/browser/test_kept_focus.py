"""Whoever has no mouse never loses their place: after each press of what changes a part of a page the focus stands somewhere, in what opened, and back where it was when that closes."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from console.activity import sequencing
from console.workflows import inboxes
from tests.browser.test_every_page import PAGES
from tests.company import DESK, Company

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow

CONTROLS = r"""() => {
    const made = [];
    const seen = (one) => one.checkVisibility() && getComputedStyle(one).visibility !== "hidden" && !one.disabled;
    const asks = (one) => ["get", "post", "put", "delete"].map((verb) => one?.getAttribute(`hx-${verb}`)).find(Boolean);
    document.querySelectorAll("main :is(a[href], button, summary, select, input[type=checkbox], input[type=radio]), header :is(a[href], button)").forEach((one, place) => {
        one.dataset.place = place;
        if (!seen(one)) return;
        const boosts = one.tagName === "A" && one.closest("[hx-boost=true]");
        const changes = /change|input/.test(one.form?.getAttribute("hx-trigger") ?? "");
        const what = asks(one) ? asks(one)
            : boosts ? one.getAttribute("href")
            : one.type === "submit" && asks(one.form) ? `${asks(one.form)} ${one.name} ${one.value}`
            : one.matches("summary, button[type=button], a[data-menu], a[aria-haspopup]") ? one.innerText
            : changes ? `${asks(one.form)} ${one.name}` : "";
        if (what) made.push({ place, what, tag: one.tagName, type: one.type ?? "", words: one.innerText || one.ariaLabel || one.name });
    });
    return made;
}"""
"""What changes a part of the page when it is pressed or chosen, each with what it asks for."""
STANDS = """() => {
    const at = document.activeElement, open = document.querySelector("dialog[open], :popover-open");
    const shown = at !== document.body && at.checkVisibility();
    return { same: "pressed" in window, shown, opened: open ? (open.id || open.className || "a dialog") : "", within: !open || open.contains(at), place: at.dataset.place ?? "", at: `${at.tagName} ${at.id} ${at.innerText ?? ""}`.slice(0, 60) };
}"""


def kind(what: str) -> str:
    """What is asked for, without what names one thing among many."""
    return re.sub(r"[a-z]+_[0-9A-Za-z-]{8,}|\d+", "*", what.partition("?")[0])


def pressed(screen: "Screen", path: str, one: dict[str, Any]) -> list[str]:
    """Press it by keyboard on a fresh page, then Escape where something opened; return where the focus was lost."""
    page = screen.go(path)
    screen.settled()
    page.evaluate(CONTROLS)
    control = page.locator(f"[data-place='{one['place']}']").first
    if not control.is_visible():
        return []
    page.evaluate("() => { window.pressed = true; window.print = () => {}; }")
    control.focus()
    page.keyboard.press(
        "ArrowDown" if one["tag"] == "SELECT" else "Space" if one["tag"] == "INPUT" else "Enter"
    )
    page.wait_for_timeout(150)  # what a press sets going has begun by then
    page.wait_for_load_state("load")
    screen.settled()
    now = page.evaluate(STANDS)
    what = f"{path}, {' '.join(one['words'].split())!r} ({one['what']})"
    if not now["same"]:
        return []
    if not now["shown"] or not now["within"]:
        return [
            f"{what}: the focus is lost{' outside ' + now['opened'] if now['opened'] else ''} ({now['at']})"
        ]
    if not now["opened"] and one["tag"] != "SUMMARY":
        return []
    page.keyboard.press("Escape")
    page.wait_for_timeout(60)
    then = page.evaluate(STANDS)
    if then["opened"]:
        return [f"{what}: Escape does not close {then['opened']}"]
    return (
        [] if then["place"] == str(one["place"]) else [f"{what}: after Escape the focus is at {then['at']}"]
    )


@pytest.mark.parametrize("who", PAGES)
def test_no_press_of_a_key_loses_the_focus(
    screens: Callable[..., "Screen"], company: Company, who: str
) -> None:
    run = company.at("note")
    inboxes.import_all([DESK])
    sequencing.catch_up()
    screen, seen, lost = screens().enter(who), set[str](), list[str]()
    for path in (page.format(run=run) for page in PAGES[who]):
        page = screen.go(path)
        screen.settled()
        for one in page.evaluate(CONTROLS):
            if kind(one["what"]) not in seen:
                seen.add(kind(one["what"]))
                lost += pressed(screen, path, one)
    assert "\n".join(lost) == ""


def test_a_page_that_comes_again_by_a_key_gives_the_focus_back(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    ines = screens().enter("ines")
    ines.go("/settings/people").locator("#team").focus()
    ines.press("ArrowDown")
    ines.page.wait_for_url("**/settings/people?*team=*")
    ines.focus_on("team")
    page = ines.go("/c/customer/1?tab=details")
    edit = page.get_by_role("link", name="Edit E-mail").or_(page.get_by_role("link", name="Edit Email")).first
    edit.focus()
    ines.press("Enter")
    page.wait_for_function("() => document.activeElement.matches('.edit-form input')")
    ines.press("Escape")
    page.wait_for_function("() => document.activeElement.matches('a.edit')")
    summary = ines.go("/c/customer").locator("summary:has-text('Columns')")
    summary.focus()
    ines.press("Enter")
    page.wait_for_selector("#view-sheet form")
    summary.focus()
    ines.press("Shift+Tab")
    expect(page.locator("details.pop[open]")).to_have_count(0)
