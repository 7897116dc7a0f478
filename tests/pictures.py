"""The pictures of the documentation: the tutorial is walked in a browser, as it is written, and photographed on the way.

By hand, against a fresh demo: `python -m tests.pictures data/demo.json`. Two customers of the demo are reviewed by it; `bin/demo --reset` puts them back.
"""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"
SIZE = {"width": 1440, "height": 900}
BUSY = "() => !/Looking for proposals|is being read|This page follows by itself/.test(document.querySelector('#run').innerText)"


class Walk:
    """One demo, and who is before the screen."""

    def __init__(self, browser: Browser, demo: dict[str, Any]) -> None:
        self.browser, self.url = browser, str(demo["url"])
        self.people = {person["email"].partition("@")[0]: person for person in demo["people"]}

    @contextmanager
    def as_(self, who: str, scheme: str = "light") -> Iterator[Page]:
        """A page on which this person has signed in."""
        context = self.browser.new_context(viewport=SIZE, color_scheme="dark" if scheme == "dark" else "light")  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{self.url}/sign-in")
        page.fill("#email", self.people[who]["email"])
        page.fill("#password", self.people[who]["password"])
        page.press("#password", "Enter")
        page.wait_for_url(f"{self.url}/")
        yield page
        context.close()


def taken(page: Page, name: str) -> None:
    """The screen as it is, once nothing moves any more."""
    page.wait_for_timeout(900)
    page.screenshot(path=IMAGES / f"{name}.png")


def at(page: Page, title: str) -> None:
    """Wait for the step of this title, and until it has what it looks for."""
    page.wait_for_selector(f".work h2:has-text('{title}')", timeout=60_000)
    page.wait_for_function(BUSY, timeout=60_000)


def done(page: Page, title: str) -> None:
    """Hand the step of this title in."""
    at(page, title)
    page.press("body", "Control+Enter")


def accepted(page: Page) -> None:
    """The document at hand is accepted."""
    page.select_option("[name='v.document_status']", "accepted")
    page.press("body", "Control+Enter")


def started(page: Page, walk: Walk, name: str) -> str:
    """A periodic review of the customer of this name, as far as the first document; its address."""
    page.goto(f"{walk.url}/c/customer?q={name}")
    page.click(f"tbody th a:has-text('{name}')")
    page.click("main .btn.primary:has-text('Start KYC review')")
    page.select_option("#dialog select", "periodic")
    page.press("#dialog select", "Control+Enter")
    page.wait_for_url("**/runs/**")
    done(page, "Documents on file")
    done(page, "First impression")
    at(page, "Check each document")
    return page.url


def operating(walk: Walk) -> str:
    """What Olivia does, up to Save; the address of the run."""
    with walk.as_("olivia") as page:
        page.goto(f"{walk.url}/c/customer?segment=due")
        taken(page, "list")
        run = started(page, walk, "Niamh Gallagher")
        taken(page, "documents")
        accepted(page)
        page.wait_for_selector("text=1 of 2 done")
        page.fill("[name='v.remark']", "Looked at page 1, page 2 is left.")
        page.wait_for_selector("#saved:has-text('Draft saved')")
        page.press("body", "Control+s")
        page.wait_for_selector("text=To Continue")
    with walk.as_("olivia", "dark") as page:
        page.goto(f"{walk.url}/c/customer?segment=due")
        taken(page, "list-dark")
    return run


def going_on(walk: Walk, run: str) -> None:
    """What Tom does: resume, revise, and all the steps to the end."""
    with walk.as_("tom") as page:
        page.goto(run)
        page.click("button:has-text('Resume')")
        at(page, "Check each document")
        accepted(page)
        done(page, "Is the set complete?")
        at(page, "Politically exposed?")
        page.hover(".step:has-text('Check each document')")
        page.click("[aria-label='Revise Check each document']")
        page.wait_for_selector("#dialog[open] textarea, #dialog[open] input")
        page.fill("#dialog [name=reason]", "The check digits of the passport were not looked at.")
        taken(page, "revise")
        page.click("#dialog button:has-text('Revise')")
        at(page, "Check each document")
        page.check("[name='v.checked'][value=mrz_digits]")
        page.press("body", "Control+Enter")
        to_the_end(page)


def to_the_end(page: Page) -> None:
    """From the documents to the end of the review, everything in order; what was screened once is kept."""
    done(page, "Is the set complete?")
    done(page, "Screen all names")
    page.check("#dialog [name=repeat][value=keep]")
    page.press("#dialog [name=reason]", "Control+Enter")
    at(page, "Politically exposed?")
    page.select_option("[name='v.pep_status']", "none")
    page.press("body", "Control+Enter")
    at(page, "Adverse media, by hand")
    for place in ("search_engine", "news_archive"):
        page.check(f"[name='v.sources'][value={place}]")
    page.select_option("[name='v.media_result']", label="Nothing found")
    page.press("body", "Control+Enter")
    for title in ("Expected against actual", "Red flags", "Risk score"):
        done(page, title)
    at(page, "Decision")
    page.get_by_label("Approve", exact=True).check()
    page.locator("#step-form textarea:visible").first.fill("In order.")
    page.press("body", "Control+Enter")
    done(page, "Apply the decision")
    done(page, "Tell the customer")
    page.wait_for_selector("text=KYC review is done")


def looking_back(walk: Walk, run: str) -> None:
    """What Rosa sees."""
    for scheme, suffix in (("light", ""), ("dark", "-dark")):
        with walk.as_("rosa", scheme) as page:
            page.goto(f"{run}/replay")
            most = int(re.findall(r"of (\d+)", page.inner_text(".band"))[0])
            page.goto(f"{run}/replay?at={most * 45 // 100}")
            taken(page, f"replay{suffix}")


def proposing(walk: Walk, charge: str) -> None:
    """A step with a proposal, where the demo has a model."""
    with walk.as_("olivia") as page:
        page.goto(f"{walk.url}/c/charge/{charge}")
        page.click("main .btn.primary:has-text('Start Customer refund')")
        page.wait_for_url("**/runs/**")
        run = page.url
        shown(page, "runner")
    with walk.as_("olivia", "dark") as page:
        page.goto(run)
        shown(page, "runner-dark")


def shown(page: Page, name: str) -> None:
    """The picture of the decision with what is proposed for it."""
    at(page, "What do we do?")
    page.get_by_label("Refund a part", exact=True).check()
    page.evaluate("document.querySelector('[data-ai-state=fill], [data-ai-state=offer]').scrollIntoView({ block: 'end' })")
    taken(page, name)


def main(demo: Path) -> None:
    """Take all pictures."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        walk = Walk(browser, json.loads(demo.read_text()))
        run = operating(walk)
        going_on(walk, run)
        looking_back(walk, run)
        proposing(walk, "ch_MartaKowalczyk4250")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
