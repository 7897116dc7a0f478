"""The test panel in a browser: a dry run answered by keyboard alone, at a desk and on a telephone."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.company import Company

if TYPE_CHECKING:
    from tests.browser.conftest import Screen


@pytest.mark.slow
def test_a_dry_run_is_answered_without_the_mouse(screens: Callable[..., "Screen"], company: Company) -> None:
    assert company.people
    mona = screens().enter("mona")
    page = mona.go("/workflows/care-review/test?record=1")
    page.locator("#f-input_why").focus()
    page.keyboard.type("Per")
    mona.press("Control+Enter")
    expect(page.locator("#result-head")).to_be_focused()
    expect(page.locator("#result-head")).to_have_text("It stops at “Read this”.")
    expect(page.locator("#step-load")).to_have_attribute("data-state", "done")
    mona.press("Control+Enter")
    page.locator("h2:has-text('Take a note')").wait_for()
    page.locator("#f-answer_note").focus()
    page.keyboard.type("Fine.")
    mona.press("Control+Enter")
    page.locator("h2:has-text('Rate the risk')").wait_for()
    assert mona.faults() == []
    if folder := os.environ.get("SHOTS"):
        page.set_viewport_size({"width": 1440, "height": 900})
        page.emulate_media(color_scheme="light")
        page.screenshot(path=f"{folder}/wide.png")
        page.locator("#f-answer_risk").focus()
        page.keyboard.type("high")
        mona.press("Control+Enter")
        page.locator("h2:has-text('Decide')").wait_for()
        page.emulate_media(color_scheme="dark")
        page.screenshot(path=f"{folder}/dark.png")
        page.set_viewport_size({"width": 390, "height": 844})
        page.screenshot(path=f"{folder}/phone.png", full_page=True)
        mona.go("/workflows/care-review/test/past")
        page.screenshot(path=f"{folder}/past.png")
