"""The keys of a page: ? lists its own and those of every page."""

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


def test_each_page_lists_its_own_keys_and_those_of_every_page(
    screens: Callable[..., "Screen"], company: Company
) -> None:
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
        assert not own - {
            key.replace("CTRL ", "CTRL+") if key.startswith("CTRL E") else key for key in keys
        }, (path, keys)
        assert all(words.strip() for words in keys.values()), "a key without a word is no help"
        olivia.press("Escape")
        olivia.page.wait_for_selector(OPEN, state="hidden")
    listed(olivia, "/")
    olivia.page.click(f"{OPEN} button:has-text('Close')")
    olivia.page.wait_for_selector(OPEN, state="hidden")
