"""The keys of a page: ? fetches and lists them, wherever one is, and what is listed is what the page's own keys do."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.company import Company

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow

OPEN = "dialog[open]:has-text('Keys on this page')"
ROWS = "() => [...document.querySelectorAll('dialog[open] dl > div')].map((row) => [row.querySelector('kbd').textContent, row.querySelector('dd').textContent])"


def listed(screen: "Screen", path: str) -> dict[str, str]:
    """Key → what it does, as the page lists them."""
    page = screen.go(path)
    page.evaluate("document.activeElement.blur()")
    screen.press("?")
    page.wait_for_selector(OPEN)
    return dict(page.evaluate(ROWS))


def test_each_page_lists_its_own_keys_and_those_of_every_page(screens: Callable[..., "Screen"], company: Company) -> None:
    olivia = screens().enter("olivia")
    run_id = company.at("rate")
    pages = {
        "/": set(),
        "/c/customer": {"J", "K", "ENTER", "X", "B", ".", "SPACE", "/"},
        f"/runs/{run_id}": {"1 – 9", "CTRL+ENTER"},
        "/approvals": set(),
    }
    for path, own in (pages | {f"/runs/{run_id}/replay": {"SPACE", "←"}}).items():
        keys = listed(olivia, path)
        assert {"T", "CTRL K"} <= set(keys), path
        assert not own - {key.replace("CTRL ", "CTRL+") if key.startswith("CTRL E") else key for key in keys}, (path, keys)
        assert all(words.strip() for words in keys.values()), "a key without a word is no help"
        olivia.press("Escape")
        olivia.page.wait_for_selector(OPEN, state="hidden")
    listed(olivia, "/")
    olivia.page.click(f"{OPEN} button:has-text('Close')")
    olivia.page.wait_for_selector(OPEN, state="hidden")


def test_space_presses_what_has_the_focus_and_not_the_key_of_the_page(screens: Callable[..., "Screen"], company: Company) -> None:
    olivia = screens().enter("olivia")
    page = olivia.go(f"/runs/{company.finished('2', 'olivia')}/replay?at=3")
    page.focus("[data-speed='16']")
    olivia.press("Space")
    assert page.get_attribute("[data-speed='16']", "aria-pressed") == "true"
    assert page.get_attribute("[data-play]", "aria-pressed") == "false", "nobody pressed Play"


def test_b_leads_to_the_choice_of_what_is_done_and_chooses_nothing_itself(screens: Callable[..., "Screen"]) -> None:
    olivia = screens().enter("olivia")
    page = olivia.go("/c/customer")
    page.evaluate("document.activeElement.blur()")
    for key in ("j", "j", "x", "b"):
        olivia.press(key)
    assert page.evaluate("document.activeElement.name") == "action"
    assert page.inner_text("[data-ticked]") == "1"
    assert page.url.endswith("/c/customer")
    olivia.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Go on"


def test_it_is_fetched_once_and_not_before_somebody_asks(screens: Callable[..., "Screen"]) -> None:
    olivia = screens().enter("olivia")
    asked: list[str] = []
    olivia.page.on("request", lambda request: asked.append(request.url) if "key_list" in request.url else None)
    page = olivia.go("/c/customer")
    assert asked == []
    page.evaluate("document.activeElement.blur()")
    for _ in range(3):
        olivia.press("?")
        page.wait_for_selector(OPEN)
        olivia.press("Escape")
        page.wait_for_selector(OPEN, state="hidden")
    assert len(asked) == 1


def test_while_typing_it_is_a_question_mark(screens: Callable[..., "Screen"]) -> None:
    olivia = screens().enter("olivia")
    page = olivia.go("/c/customer")
    page.focus("#q")
    page.keyboard.type("who?")
    assert page.input_value("#q") == "who?"
    assert page.locator(OPEN).count() == 0


@pytest.mark.parametrize("width", [1440, 390])
def test_the_list_is_for_every_eye(screens: Callable[..., "Screen"], company: Company, width: int) -> None:
    olivia = screens(width=width, height=844).enter("olivia")
    listed(olivia, f"/runs/{company.at('rate')}")
    assert olivia.faults() == []
