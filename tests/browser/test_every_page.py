"""Every page in light and dark, wide and narrow: nothing that axe finds, no policy broken, nothing said on the console."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from console import runs
from console.activity import integrity, sequencing
from console.workflows import inboxes
from tests.company import DESK, Company
from tests.work.test_inbox import UNRATED

if TYPE_CHECKING:
    from tests.browser.conftest import Screen


def test_pages_have_no_fault(screens: Callable[..., "Screen"], company: Company) -> None:
    held, done = company.at("rate", "1"), company.finished("2", "tom")
    saved = company.at("note", "4")
    runs.save(company.olivia, saved, revision=company.told(saved)["revision"])
    decide = company.at("decide", "2")
    theirs = company.at("note", "3")
    sequencing.catch_up()
    sequencing.seal()
    integrity.look()
    inboxes.import_all([DESK, UNRATED])
    olivia = screens()
    faults: list[str] = []
    olivia.go("/sign-in")
    faults += olivia.faults(contrast=True)
    olivia.sign_in("olivia")
    for path in (
        "/",
        "/more",
        "/help",
        "/help?q=install",
        "/help/how-to/install",
        "/help/reference/settings",
        "/work",
        "/inbox/desk",
        "/inbox/unrated",
        "/inbox/unrated?view=doing",
        "/inbox/nothing",
        "/c",
        "/settings/me",
        "/patterns",
        "/activity",
        "/c/nothing",
        "/c/customer",
        "/c/customer?segment=unrated&q=nobody",
        "/c/customer/1",
        "/c/customer/1?tab=details",
        "/c/customer/1?tab=activity",
        "/c/customer/2/start/care-review",
        "/c/customer/1/edit/email",
        "/c/customer/1/related/account",
        "/c/customer/1/menu",
        f"/runs/{held}",
        f"/runs/{held}?tab=related",
        f"/runs/{held}?tab=activity",
        f"/runs/{decide}",
        f"/runs/{done}",
        f"/runs/{saved}",
        f"/runs/{theirs}",
        f"/runs/{held}/abort",
        f"/runs/{held}/escalate",
        f"/runs/{held}/leave",
        f"/runs/{held}/revise?step=note",
        f"/runs/{done}/replay",
        f"/runs/{done}/replay?at=7&since=1",
        f"/runs/{held}/replay?at=12",
        "/workflows",
        "/workflows/care-review",
        "/workflows/care-review#step-note",
        f"/runs/{held}/picture",
        f"/runs/{done}/picture?at=7",
    ):
        olivia.go(path)
        faults += olivia.faults(contrast=True)
    mona = screens().enter("mona")
    runs.escalate(
        company.olivia,
        theirs,
        revision=None,
        inbox="desk",
        reason="Please look at this one, it is longer than most",
        priority="urgent",
    )
    for path in (
        f"/runs/{theirs}",
        f"/runs/{theirs}/assign",
        "/inbox/desk",
        "/inbox/unrated",
        "/inbox/unrated?view=backlog",
        "/inbox/unrated/assign?ticket=record:1",
    ):
        mona.go(path)
        faults += mona.faults(contrast=True)
    ada = screens().enter("ada")
    ada.go("/activity").locator("details.entry").first.click()
    faults += ada.faults(contrast=True)
    ada.go("/activity/proof")
    faults += ada.faults(contrast=True)
    ines = screens().enter("ines")
    for path in (
        "/c/customer/1/erase",
        "/c/customer/2/erase",
        "/c/customer/1/menu",
        "/settings/people/invite",
        "/settings/people/service-account",
    ):
        ines.go(path)
        faults += ines.faults(contrast=True)
    assert faults == []


def test_states_that_a_page_comes_to_have_no_fault(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    run = company.at("note")
    olivia = screens().enter("olivia")
    page = olivia.go("/c/customer")
    page.click("summary:has-text('Filter')")
    faults = olivia.faults(contrast=True)
    page.keyboard.press("Escape")
    page.click("summary:has-text('Columns')")
    page.wait_for_selector("#view-sheet form")
    faults += olivia.faults(contrast=True)
    page.keyboard.press("Escape")
    page.click("[data-menu] >> nth=1")
    page.wait_for_selector("#menu:popover-open")
    faults += olivia.faults(contrast=True)
    page = olivia.go(f"/runs/{run}")
    olivia.press("Control+Enter")
    page.wait_for_selector("[role=alert]")
    faults += olivia.faults(contrast=True)
    page.evaluate("document.activeElement.blur()")
    olivia.press("r")
    page.wait_for_selector("dialog[open]")
    faults += olivia.faults(contrast=True)
    olivia.press("Escape", "Control+k")
    page.wait_for_selector("dialog.palette[open] [role=option]")
    faults += olivia.faults(contrast=True)
    page.keyboard.type("adaeze")
    page.wait_for_selector("dialog.palette mark")
    faults += olivia.faults(contrast=True)
    olivia.go("/c/customer?preview=1")
    faults += olivia.faults(contrast=True)
    olivia.press("?")
    page.wait_for_selector("dialog[open]:has-text('Keys on this page')")
    faults += olivia.faults(contrast=True)
    done = company.finished("2")
    page = olivia.go(f"/runs/{done}/replay?at=3")
    page.click("[data-play]")
    page.wait_for_selector("[data-play][aria-pressed=true], #replay[data-announce^='Event 4 ']")
    page.click("[data-speed='1']")
    faults += olivia.faults(contrast=True)
    for path in (
        "/search?q=adaeze",
        "/search?q=nobody-at-all",
        "/c/customer?view=1",
        "/approvals",
        "/tasks",
        "/notices",
        f"/runs/{run}/why",
    ):
        olivia.go(path)
        faults += olivia.faults(contrast=True)
    assert faults == []


OPENS = "main details:not([open]) > summary"
ASKS = "main a:is([hx-target='#dialog'], [hx-target='#dialog'] a)"
"""What opens in its place, and what opens a dialog."""
FROM_THE_TOP = "document.querySelectorAll('main, main *').forEach((part) => { part.scrollTop = 0; })"
"""Nothing is half under a bar that stays: what is scrolled there is no fault."""
PAGES = {
    "olivia": ("/", "/c/customer", "/c/customer/1", "/runs/{run}", "/runs/{run}/replay", "/settings/me"),
    "mona": ("/inbox/desk", "/workflows/care-review", "/approvals"),
    "ada": ("/activity", "/workflows"),
    "ines": ("/settings/people", "/settings/sources", "/operations"),
}
KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "olivia": (
        ("/c/customer", "j", "x"),
        ("/c/customer", "j", "Space"),
        ("/c/customer", "?"),
        ("/c/customer?q=nobody-at-all",),
        ("/c/customer/1", "s"),
        ("/more",),
        ("/work",),
    ),
    "mona": (("/inbox/desk", "j", "x"), ("/approvals?tab=decided",), ("/workflows?q=nobody-at-all",)),
    "ada": (("/activity", "f"), ("/activity", "e"), ("/activity?user=nobody",)),
    "ines": (("/settings/people", "/"), ("/settings/roles",), ("/c/nothing",)),
}
"""Pages, and the keys that bring them into a state: a row chosen, a preview, a sheet, nothing found."""


@pytest.mark.slow
@pytest.mark.parametrize("who", PAGES)
def test_whatever_opens_on_a_page_has_no_fault(
    screens: Callable[..., "Screen"], company: Company, who: str
) -> None:
    run = company.at("note")
    inboxes.import_all([DESK])
    sequencing.catch_up()
    screen, faults = screens().enter(who), list[str]()
    for path in (page.format(run=run) for page in PAGES[who]):
        for opens in (OPENS, ASKS):
            page = screen.go(path)
            shown = [place for place, one in enumerate(page.locator(opens).all()) if one.is_visible()]
            for place in shown[:3]:
                screen.go(path).locator(opens).nth(place).click()
                screen.settled()
                page.evaluate(FROM_THE_TOP)
                faults += screen.faults()
                if page.locator("details.pop[open]").count():
                    page.keyboard.press("Escape")
                    expect(page.locator("details.pop[open]")).to_have_count(0)
    for path, *keys in KEYS[who]:
        screen.go(path)
        screen.press(*keys)
        screen.settled()
        faults += screen.faults()
    assert faults == []


def test_what_is_wrong_is_seen_on_a_large_screen_and_a_telephone(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    olivia = screens().enter("olivia")
    olivia.go("/work").evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', `<button></button><p id=pale>Pale</p>`);"
        "document.querySelector('#pale').style.cssText = 'color: #eee; background: #fff';"
    )
    found = olivia.faults(contrast=True)
    for words in (
        "work: button-name",
        "work: color-contrast",
        "dark: color-contrast",
        "dark, 390 wide: button-name",
        "dark, 390 wide: color-contrast",
        "work: 390 wide: color-contrast",
    ):
        assert any(words in one for one in found), (words, found)
