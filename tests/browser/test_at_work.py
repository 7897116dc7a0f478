"""AI performance in a browser: nothing that axe finds, and a promotion by keyboard."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.ai.proposals.test_ladder import hidden
from tests.company import Company
from tests.support.busy import month
from tests.support.call_figures import with_ai

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow


def test_pages_have_no_fault(screens: Callable[..., "Screen"], company: Company) -> None:
    month(company)
    with_ai("decide")
    hidden(company, 125)
    mona = screens().enter("mona")
    faults = []
    for path in (
        "/ai",
        "/ai?days=7&workflow=care-review&step=note",
        "/ai?days=7&step=nothing",
        "/ai/cases",
        "/ai/cases?became=changed&field=note",
        "/ai/cases?became=automatic",
        "/ai/ladder/care-review/decide",
        "/ai/ladder/care-review/note",
    ):
        mona.go(path)
        faults += mona.faults()
    assert faults == []


def test_promoting_by_keyboard(screens: Callable[..., "Screen"], company: Company) -> None:
    with_ai("decide")
    hidden(company, 125)
    mona = screens(1440, 900, "light").enter("mona")
    page = mona.go("/ai/ladder/care-review/decide")
    page.focus("#reason-up")
    page.keyboard.type("125 of 125 agreed")
    page.keyboard.press("Enter")
    page.wait_for_selector(".rungs [aria-current]:has-text('Automatic')")
    assert mona.faults() == []
