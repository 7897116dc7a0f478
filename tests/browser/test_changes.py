"""Changes outside before a person: tried again, unknown, made before, taken back. By keyboard, for every eye."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from console import runs
from tests.company import Company
from tests.support.paying import Provider, at_pay, paying, providing

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

SIZES = [(1440, 900, "light"), (390, 844, "dark")]


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with providing(monkeypatch) as made:
        yield made


@pytest.mark.parametrize(("width", "height", "scheme"), SIZES)
def test_a_payment_from_busy_to_taken_back(
    screens: Callable[..., "Screen"],
    company: Company,
    provider: Provider,
    width: int,
    height: int,
    scheme: str,
) -> None:
    paying()
    run = at_pay(company)
    olivia = screens(width, height, scheme).enter("olivia")
    page = olivia.go(f"/runs/{run}")
    provider.mood = "busy"
    page.fill("#f-amount", "5")
    olivia.press("Control+Enter")
    page.wait_for_selector("text=Trying again at")
    assert olivia.faults() == []
    page.focus("button:has-text('Stop trying')")
    olivia.press("Enter")
    page.wait_for_selector("#f-amount")
    assert page.input_value("#f-amount") == "5"
    provider.mood = "mute"
    olivia.press("Control+Enter")
    page.wait_for_selector("text=Nobody knows whether it happened")
    assert olivia.faults() == []
    provider.mood = "good"
    page.focus("button:has-text('Check again')")
    olivia.press("Enter")
    page.wait_for_selector("text=It was done. The run goes on.")
    olivia.heading("after")
    page.click("a:has-text('Abort')") if width > 500 else page.goto(f"{olivia.url}/runs/{run}/abort")
    page.wait_for_selector("text=Take back: Recall the payment")
    assert olivia.faults() == []
    runs.revise(company.olivia, run, revision=None, step="pay", attempt=None, reason="Look again")
    olivia.go(f"/runs/{run}").wait_for_selector("#f-amount")
    page.fill("#f-amount", "6")
    olivia.press("Control+Enter")
    page.wait_for_selector("text=This was done already")
    assert olivia.faults() == []
    olivia.press("Control+Enter")
    page.wait_for_selector("text=Choose what to do about it.")
    page.check("input[name=repeat][value=again]")
    olivia.press("Control+Enter")
    page.wait_for_selector("text=Write the reason.")
    page.fill("#repeat-reason", "The bank lost it.")
    olivia.press("Control+Enter")
    olivia.heading("after")
    assert provider.payments == [5, 6]
