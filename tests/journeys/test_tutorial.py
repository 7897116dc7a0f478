"""The tutorial, read and done to the letter: each control that it names is pressed, each title that it quotes is seen, what it gives to type is typed."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from playwright.sync_api import Browser

from tests.journeys.conftest import Demo
from tests.journeys.documents import ROOT, Passage, blocks, passages
from tests.journeys.screens import Open, Screen, Walked, opening, run_of, walked

GUIDE = "docs/tutorial/first-review.md"
LIST = ".rail"
PATH = "[aria-label='Steps'], .path, .steps"

Step = Callable[[int, Screen], AbstractContextManager[Walked]]


@pytest.fixture(scope="module")
def screens(chromium: Browser, demo: Demo) -> Iterator[Open]:
    """Screens before the demo."""
    with opening(chromium, demo) as open_one:
        yield open_one


def sign_in(screen: Screen, name: str) -> None:
    """By the card of who is printed by `bin/demo` under this first name."""
    person = screen.demo.people[name.lower()]
    assert person["name"].split()[0] == name
    screen.go("/sign-in").page.click(f"button[name=person][value={name.lower()}]")
    screen.page.wait_for_url(f"{screen.demo.url}/")


def sign_out(screen: Screen, words: str) -> None:
    """By the menu behind the circle with the initials."""
    screen.page.click(".rail a.person")
    screen.press(words)
    screen.page.wait_for_url("**/sign-in**")


def tick(screen: Screen, words: str) -> None:
    """Tick the box of this label."""
    screen.page.get_by_label(words, exact=True).check()


def test_the_tutorial_to_the_letter(screens: Open, demo: Demo) -> None:
    screen = screens()
    page = screen.page
    ahead: Iterator[Passage] = iter([one for one in passages(GUIDE) if one.words])

    def step(number: int) -> AbstractContextManager[Walked]:
        passage = next(ahead)
        assert passage.number == number, f"{passage} where step {number} was to be"
        return walked(passage, screen)

    def beside() -> AbstractContextManager[Walked]:
        return step(0)

    begun = blocks(GUIDE, "")[0].text.splitlines()
    assert begun[0].startswith("Handrail on ")
    for line in begun[1:-1]:
        assert line.split()[0] in {one["email"] for one in demo.told["people"]}, line
    with step(0) as start:
        start.typed("data/demo.json")
    with step(1) as one:
        one.named("Olivia")
        sign_in(screen, "Olivia")
        one.see("Home")
    with step(2) as two:
        two.press("Customers", "Due in 30 days")
        two.named("segment")
    with step(3) as three:
        screen.fill(three.passage.words[1].text, three.typed("Gallagher"))
        three.see("Search customers")
        screen.key("Enter")
        three.press("Niamh Gallagher")
        three.see("Summary", "Details")
    with step(4) as four:
        four.press("Start KYC review", "Periodic review")
        four.press("Start")
        page.wait_for_url("**/runs/run_*")
    run = run_of(screen)
    with step(5) as five:
        five.headed("Check each document")
        five.see("Checked by rule")
        page.locator("#checks .passed summary").first.click()
        five.press("Page 1")
    with step(6) as six:
        tick(screen, "Issuer exists and issues this kind")
        six.press("Accept")
        page.wait_for_selector("#item-title:has-text('Passport')")
    with step(7) as seven:
        seven.see("Note")
        screen.fill("Note", seven.typed("Looked at page 1, page 2 is left."))
        seven.press("Save")
    with beside() as saved:
        saved.see("To Continue")
    with step(8) as eight:
        sign_out(screen, eight.said("Sign out"))
        eight.named("Tom")
        sign_in(screen, "Tom")
        eight.see("Home", "To Continue")
        eight.press("Resume", within=f"form[action*='{run}'], a[href*='{run}']")
        page.wait_for_url(f"**/runs/{run}*")
        assert page.input_value("textarea[name='v.remark']") == "Looked at page 1, page 2 is left."
    with step(9) as nine:
        page.wait_for_function(
            "() => !document.querySelector('#checks[hx-get]')"
        )  # whoever accepts a document has read what was checked
        nine.press("Accept")
        nine.headed("Exposure and activity")
    with step(10) as ten:
        page.locator(".phase summary", has=page.locator(f"b:text-is('{ten.said('Documents')}')")).click()
        page.hover(f".step:has(b:text-is('{ten.said('Check each document')}'))")
        again = page.locator(
            ".step:has(b:text-is('Check each document')) a.revise", has_text=ten.said("Revise")
        ).first
        again.click()
        page.wait_for_selector("dialog[open]")
    with step(11) as eleven:
        page.locator("dialog[open] textarea").fill("Nobody looked whether the issuer exists.")
        eleven.press("Revise")
        page.wait_for_selector("dialog[open]", state="detached")
        assert page.locator("input[name='v.document_status']").input_value() == "accepted"
        tick(screen, "Issuer exists and issues this kind")
        eleven.press("Accept")
    with step(12) as twelve:
        page.wait_for_selector("h2:has-text('Exposure and activity')")
        twelve.see("Politically exposed?")
        twelve.press("None")
    with step(13) as thirteen:
        thirteen.see("Adverse media, by hand", "Expected vs actual turnover")
        for place in page.locator("#part-media fieldset input[type=checkbox]").all()[:2]:
            place.check()
        thirteen.press("Nothing found")
        thirteen.press("Done")
        thirteen.headed("Risk")
        thirteen.press("Done")
    with step(14) as fourteen:
        fourteen.headed("Decision")
        fourteen.see("In short", "E-mail to the customer")
        fourteen.press("Approve")
        page.locator("#step-form textarea:visible").first.fill("Documents in order, no hit, low risk.")
    with step(15) as fifteen:
        assert page.inner_text("#done").startswith(fifteen.said("Approve"))
        page.click("#done")
    with step(16) as sixteen:
        screen.reads("KYC review is done")
        screen.reads(sixteen.said("approved"))
    with step(17) as seventeen:
        sign_out(screen, "Sign out")
        seventeen.named("Rosa")
        sign_in(screen, "Rosa")
        seventeen.press("Customers")
        screen.fill("Search customers", "Gallagher")
        screen.key("Enter")
        screen.press("Niamh Gallagher")
        seventeen.see("Runs on this record")
        screen.page.click(f"a[href*='{run}']")
        seventeen.press("Replay")
    with step(18) as eighteen:
        screen.press("Next decision")
        for words in ("Next decision", "Previous decision", "Next", "Previous", "Play"):
            eighteen.press(words)
        page.wait_for_selector("[data-play][aria-pressed=true]")
        page.click("[data-play]")
        page.wait_for_selector("[data-play][aria-pressed=false]")
        screen.settled()
        before = page.inner_text(".said b")
        page.keyboard.press("ArrowLeft")
        page.wait_for_function(
            "(before) => document.querySelector('.said b').textContent !== before", arg=before
        )
        screen.settled()
    with step(19) as nineteen:
        page.locator(".band a[title*='cancelled']").first.evaluate("(mark) => mark.click()")
        page.wait_for_function("() => /cancelled/.test(document.querySelector('.said').textContent)")
        nineteen.press("Changed since")
    with beside() as end:
        assert end.typed("bin/demo --reset").split()[1] in (ROOT / "bin/demo").read_text(encoding="utf-8")
    assert next(ahead, None) is None
    assert not page.locator("main form[method=post] button").all(), "nothing in a replay changes anything"
