"""The pictures of README, tutorial and guides, photographed from the demo as it starts.

By hand, against a fresh demo: `python -m tests.pictures data/demo.json`. One review and one refund are begun by it; `bin/demo --reset` takes them back.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"
SIZE = {"width": 1440, "height": 900}
BUSY = "() => !/Looking |is being read|This page follows by itself/.test(document.querySelector('#run').innerText)"
CHARGE = "ch_MartaKowalczyk4250"


class Photographer:
    """One demo, and who is before the screen."""

    def __init__(self, browser: Browser, demo: dict[str, Any]) -> None:
        self.browser, self.url = browser, str(demo["url"])

    @contextmanager
    def as_(self, who: str) -> Iterator[Page]:
        """A page on which this person has signed in."""
        context = self.browser.new_context(viewport=SIZE, color_scheme="light")  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{self.url}/sign-in")
        page.click(f"button[name=person][value={who}]")
        page.wait_for_url(f"{self.url}/")
        yield page
        context.close()

    def take(self, page: Page, name: str, address: str = "") -> None:
        """The screen as it is, or this address, once nothing moves any more."""
        if address:
            page.goto(f"{self.url}{address}")
        page.wait_for_timeout(1200)
        page.screenshot(path=IMAGES / f"{name}.png")

    def lists(self) -> None:
        """A list, a record's page, Home, a workspace and an approval."""
        with self.as_("olivia") as page:
            self.take(page, "list", "/c/customer")
            self.take(page, "workspace", "/w/refund-desk")
        with self.as_("mona") as page:
            self.take(page, "home")
            page.goto(f"{self.url}/approvals")
            page.click(".requests a:has-text('Axel Berg')")
            self.take(page, "approval")

    def refund(self) -> None:
        """The decision of a refund."""
        with self.as_("olivia") as page:
            page.goto(f"{self.url}/c/charge/{CHARGE}")
            page.click("main .btn.primary:has-text('Start Customer refund')")
            page.wait_for_url("**/runs/**")
            _at(page, "What do we do?")
            self.take(page, "runner")

    def review(self) -> None:
        """The first document of a review, and what revising an earlier step would cancel."""
        with self.as_("olivia") as page:
            page.goto(f"{self.url}/c/customer?q=Niamh Gallagher&segment=")
            page.click("tbody th a:has-text('Niamh Gallagher')")
            page.click("main .btn.primary:has-text('Start KYC review')")
            page.select_option("#dialog select", "periodic")
            page.press("#dialog select", "Control+Enter")
            page.wait_for_url("**/runs/**")
            _at(page, "Check each document")
            self.take(page, "documents")
            page.locator("a.revise").last.evaluate("(link) => link.click()")
            page.fill("dialog[open] textarea", "The proof of address was overlooked.")
            self.take(page, "revise")

    def past(self) -> None:
        """A replay of what people did before, and an automation on which people are."""
        with self.as_("mona") as page:
            page.click("a:has-text('Example replay')")
            for _ in range(5):
                page.click("[aria-label='Next decision']")
                page.wait_for_timeout(300)
            self.take(page, "replay")
        with self.as_("gita") as page:
            self.take(page, "automation", "/workflows/lead-nurture")


def _at(page: Page, title: str) -> None:
    """Wait for the step of this title, and until it has what it looks for."""
    page.wait_for_selector(f".work h2:has-text('{title}')", timeout=60_000)
    page.wait_for_function(BUSY, timeout=60_000)


def main(demo: Path) -> None:
    """Take all pictures."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        photographer = Photographer(browser, json.loads(demo.read_text()))
        photographer.lists()
        photographer.refund()
        photographer.review()
        photographer.past()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
