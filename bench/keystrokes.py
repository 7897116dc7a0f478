"""How many keys a whole KYC review of a person takes, by keyboard alone, in a real browser: python bench/keystrokes.py --data DIR.

DIR is the data folder of a running `bin/demo`. Olivia opens a customer, starts the review and goes on until it is approved. Every key that is pressed
counts, characters of typed texts too. Signing in does not. Where a step asks for nothing it is one key: Ctrl Enter. S starts the first workflow of a
record; where that is another one, Tab goes to the button of the review. A hit is cleared by what its comparison says differs, a date or place of birth
or a nationality; one where nothing differs is for a person to judge and ends the measurement with these words, and so does a set of documents that is
not complete, and a step that refuses the answers twice. Where a step asks why all the same, of a paper in the archive for one, two words are typed. What others have to approve, they approve by keyboard from their list of approvals: their keys count as well.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

BAR = 90
MOST_STEPS = 60
CUSTOMER = "301"  # a person of low risk, all documents there: the stories of the demo
FIRST = {"document_status": "1", "media_result": "1", "outcome": "1", "reason": "2"}
"""Field → the number of the choice that a person of low risk takes."""
STANDS = "document.querySelector('#step-form [name=revision]')?.value + document.title"
FORM = "(document.querySelector('#step-form') || document.body.innerText.includes('See the request'))"
ENDED = "document.title.includes('is done')"
REFUSED = "!!document.querySelector('#notice [role=alert]')"
PATIENCE_MS = 60_000
TWO = {"sources": ("1", "2", "Enter")}
START = "Start KYC review"
MOST_TABS = 60
INCOMPLETE = "Ask or go on?"
HIT = "Decide each hit"
DIFFERING = {"Date of birth": ("2", "1"), "Nationality, residence": ("3", "2"), "Place of birth": ("4", "3")}
"""Line of the comparison → the numbers of the reason that it gives, and of what was compared."""
BECAUSE = "document.querySelector('[name=\"v.because\"]').closest('.field')"
WAITS = "!document.querySelector('#step-form') && document.body.innerText.includes('See the request')"
WHY = "seen there"
ASKED_WHY = (
    "() => document.activeElement.matches('textarea[aria-invalid=true]') && !document.activeElement.value"
)
APPROVERS = ("tom@", "mona@")


class Keyboard:
    """Presses keys in a page and counts them."""

    def __init__(self, page: Any) -> None:
        self.page, self.count, self.log = page, 0, list[str]()

    def press(self, *keys: str) -> None:
        """Press each key once."""
        for key in keys:
            self.page.keyboard.press(key)
            self.count += 1
            self.log.append(key)

    def hand_in(self) -> None:
        """Press Ctrl Enter, and wait until the run stands elsewhere, has ended, or says what is wrong."""
        before = self.page.evaluate(STANDS)
        self.press("Control+Enter")
        self.page.wait_for_function(
            f"(before) => ({STANDS}) !== before || {REFUSED}", arg=before, timeout=PATIENCE_MS
        )
        self.page.wait_for_function(f"() => {FORM} || {ENDED} || {REFUSED}", timeout=PATIENCE_MS)
        self.page.wait_for_function("() => !document.querySelector('.htmx-request')", timeout=PATIENCE_MS)


def reviewed(
    page: Any, approvers: Sequence[Any], url: str, customer: str, *, tell: bool = False
) -> tuple[int, str]:
    """(keys pressed, words of the end) of one review."""
    keys, waiting = Keyboard(page), list(approvers)
    page.goto(f"{url}/c/customer/{customer}")
    _start(page, keys)
    page.wait_for_selector("dialog[open] select")
    keys.press("p", "Control+Enter")  # the reason: periodic review
    page.wait_for_selector("#step-form")
    for _ in range(MOST_STEPS):
        title = page.title()
        before = keys.count
        if page.evaluate(ENDED):
            break
        if page.evaluate(WAITS):
            if not waiting:
                return keys.count, f"{title}: nobody is left to approve it"
            keys.count += _approve(
                waiting.pop(0), url, page.locator("a", has_text="See the request").get_attribute("href")
            )
            page.reload()
            page.wait_for_load_state("networkidle")
            continue
        if title.startswith(INCOMPLETE):
            return (
                keys.count,
                f"{title}: documents are missing or too old, which a person judges; take another one with --customer",
            )
        if not title.startswith(HIT):
            _answer(page, keys)
        elif not _clear_hit(page, keys):
            return (
                keys.count,
                f"{title}: nothing differs, which a person judges; take another one with --customer",
            )
        keys.hand_in()
        if page.evaluate(REFUSED):
            if tell:
                sys.stdout.write(f"refused at {title}: {page.locator('#notice').inner_text()[:300]}\n")
            _answer(page, keys)
            keys.hand_in()
            if page.evaluate(REFUSED):
                return keys.count, f"{title}: refused twice, {page.locator('#notice').inner_text()[:300]}"
        if tell:
            sys.stdout.write(f"{keys.count:4} (+{keys.count - before}) {title}\n")
    return keys.count, page.title()


def _start(page: Any, keys: Keyboard) -> None:
    """Press the key of the review, or where another workflow has it, go to the button of the review and press it."""
    button = page.locator("main .btn", has_text=START).first
    if button.get_attribute("data-key") == "s":
        keys.press("s")
        return
    for _ in range(MOST_TABS):
        keys.press("Tab")
        if button.evaluate("(button) => button === document.activeElement"):
            break
    keys.press("Enter")


def _answer(page: Any, keys: Keyboard) -> None:
    """Answer the open choices of the page, as a person of low risk has them answered, once the documents beside them are there to be read."""
    page.wait_for_function("() => [...document.images].every((image) => image.complete)", timeout=PATIENCE_MS)
    open_fields = page.evaluate(
        """() => [...document.querySelectorAll("#step-form [data-required], form [data-required]")].filter((field) => field.getClientRects().length)
        .filter((field) => { const boxes = [...field.querySelectorAll("input[type=radio], input[type=checkbox]")];
            return boxes.length ? !boxes.some((box) => box.checked) : !field.querySelector(".input")?.value.trim(); })
        .map((field) => (field.querySelector("[name^='v.'], [name='outcome']")?.name || "").replace("v.", ""))"""
    )
    for name in open_fields:
        keys.press(*(TWO.get(name) or (FIRST.get(name, "1"),)))
    if page.evaluate(ASKED_WHY):
        keys.press(*WHY)


def _clear_hit(page: Any, keys: Keyboard) -> bool:
    """Say that it is somebody else, because of the first line that differs, and which two were compared; False where none differs."""
    lines = page.evaluate(
        "() => [...document.querySelectorAll('table.compare tr')].filter((row) => row.querySelector('.mark-differs')).map((row) => row.cells[0].innerText.trim())"
    )
    for line in (line for line in DIFFERING if line in lines):
        reason, compared = DIFFERING[line]
        keys.press("1")
        page.wait_for_function(f"() => ({BECAUSE}).hasAttribute('data-required')", timeout=PATIENCE_MS)
        keys.press("Enter", reason, "Enter", compared, "2" if compared == "1" else "1")
        return True
    return False


def _approve(page: Any, url: str, request: str) -> int:
    """Find the request in the list of approvals and approve it; returns how many keys that took."""
    keys = Keyboard(page)
    page.goto(f"{url}/approvals")
    for _ in range(MOST_TABS):
        keys.press("j")
        if (
            page.evaluate(
                "() => document.activeElement.closest('tr, li')?.querySelector('a')?.getAttribute('href')"
            )
            == request
        ):
            break
    keys.press("Enter")
    page.wait_for_url(f"**{request}", timeout=PATIENCE_MS)
    keys.press("Control+Enter")
    page.wait_for_function("() => !document.querySelector('[data-key-name=Approve]')", timeout=PATIENCE_MS)
    return keys.count


def _signed_in(browser: Any, demo: Mapping[str, Any], who: str) -> Any:
    """A page of one of the demo's people."""
    person = next(person for person in demo["people"] if person["email"].startswith(who))
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{demo['url']}/sign-in")
    page.fill("[name=email]", person["email"])
    page.fill("[name=password]", person["password"])
    page.press("[name=password]", "Enter")
    page.wait_for_load_state("networkidle")
    return page


def main() -> int:
    """Measure once and say whether the bar holds."""
    parser = argparse.ArgumentParser(prog="keystrokes.py", description=__doc__)
    parser.add_argument("--data", type=Path, help="data folder of a running bin/demo")
    parser.add_argument("--customer", default=CUSTOMER)
    parser.add_argument("--tell", action="store_true", help="say what each step took")
    given = parser.parse_args()
    if given.data is None:
        parser.error("name the data folder of a running demo with --data")
    from playwright.sync_api import sync_playwright

    demo = json.loads((given.data / "demo.json").read_text(encoding="utf-8"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or None, args=["--no-sandbox"]
        )
        olivia, *approvers = (_signed_in(browser, demo, who) for who in ("olivia@", *APPROVERS))
        count, end = reviewed(olivia, approvers, demo["url"], given.customer, tell=given.tell)
        browser.close()
    sys.stdout.write(f"{count} keys to “{end}” (bar {BAR})\n")
    return int(count > BAR or "is done" not in end)


if __name__ == "__main__":
    sys.exit(main())
