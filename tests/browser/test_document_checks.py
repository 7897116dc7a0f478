"""Checks of documents for every eye and hand: opened by the keyboard, framed on the page, without a fault for screen readers."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.company import Company
from tests.documents.test_documents_checked import bill, send, worked
from tests.papers import CHECKED, at_note, workflow

if TYPE_CHECKING:
    from tests.browser.conftest import Screen


@pytest.mark.parametrize(("width", "height", "scheme"), [(1440, 900, "light"), (390, 844, "dark")])
def test_a_check_opens_the_page_with_its_place_framed(
    screens: Callable[..., "Screen"], company: Company, width: int, height: int, scheme: str
) -> None:
    workflow("checked", CHECKED)
    run_id = at_note(company, "checked", "2")
    send(company, run_id, bill())
    olivia = screens(width, height, scheme).enter("olivia")
    page = olivia.go(f"/runs/{run_id}")
    page.wait_for_selector("#checks:has-text('being read')")
    worked()
    page.wait_for_selector("#checks .where a", state="attached")
    for folded in page.locator("#checks .passed summary").all():
        folded.click()
    assert olivia.faults() == []
    page.locator("#checks .where a").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".leaf rect").first).to_be_in_viewport(timeout=30_000)
    assert olivia.faults() == []
    assert page.locator("#step-form input[type=checkbox]:checked").count() == 0
