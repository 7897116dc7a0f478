"""The description of the API in a browser: read without a fault, tried out with a key, kept within the policy of the site."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from console.auth import accounts
from tests.company import Company

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow

CALLS = "document.querySelectorAll('[data-call]')"


def test_it_has_no_fault(screens: Callable[..., "Screen"], company: Company) -> None:
    stranger = screens()
    stranger.go("/api/docs").evaluate(
        f"{CALLS}.forEach((call, number) => number % 8 && call.remove())"
    )  # all are drawn by one macro
    faults = stranger.faults()
    olivia = screens().enter("olivia")
    for path in (
        "/settings/keys",
        "/settings/keys/new",
        f"/settings/keys/{accounts.create_key('Feed', company.olivia.id).id}",
    ):
        olivia.go(path)
        faults += olivia.faults()
    assert faults == []


def test_a_call_is_found_and_sent(screens: Callable[..., "Screen"], company: Company) -> None:
    screen = screens()
    page = screen.go("/api/docs")
    page.fill("#api-find", "getrecord")
    assert page.locator("[data-call]:visible").count() == 1
    page.fill("#api-key", accounts.create_key("Docs", company.olivia.id).text)
    call = page.locator("#getRecord")
    call.locator("summary").click()
    call.locator("[name=key]").fill("1")
    assert "/collections/customer/records/1'" in call.locator("[data-curl]").inner_text()
    call.locator("[data-send]").click()
    call.locator("[data-answer]").get_by_text("Adaeze Okonkwo-Bell").first.wait_for()
    page.locator("#startRun summary").click()
    page.fill(
        "#startRun [data-in=body]",
        '{"workflow": "care-review", "collection": "customer", "record": "1", "input": {"why": "event"}}',
    )
    page.locator("#startRun [data-send]").click()
    page.locator("#startRun [data-answer]").get_by_text('"waiting_person"').first.wait_for()
    page.evaluate(f"{CALLS}.forEach((call) => call.checkVisibility() || call.remove())")
    assert screen.faults(both=False) == []
