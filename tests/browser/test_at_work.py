"""Proposals at work before a screen: nothing that axe finds, charts drawn from their tables, by keyboard alone, in both themes."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.company import Company
from tests.proposals.test_ladder import hidden
from tests.support.busy import month
from tests.support.call_figures import with_ai

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow

DRAWN = "() => [...document.querySelectorAll('handrail-chart canvas')].every((one) => one.width > 0)"


def test_pages_have_no_fault(screens: Callable[..., "Screen"], company: Company) -> None:
    month(company)
    with_ai("decide")
    hidden(company, 125)
    mona = screens().enter("mona")
    faults = []
    for path in ("/ai", "/ai?days=7&workflow=care-review&step=note", "/ai?days=7&step=nothing", "/ai/cases", "/ai/cases?became=changed&field=note", "/ai/cases?became=automatic",
                 "/ai/ladder/care-review/decide", "/ai/ladder/care-review/note"):  # fmt: skip
        mona.go(path).wait_for_function(DRAWN)
        faults += mona.faults()
    assert faults == []


def test_a_chart_is_its_table(screens: Callable[..., "Screen"], company: Company) -> None:
    month(company)
    mona = screens(1440, 900, "light").enter("mona")
    page = mona.go("/ai")
    page.wait_for_function(DRAWN)
    assert page.locator("handrail-chart canvas").count() == 4
    assert page.locator("handrail-chart details[open]").count() == 0
    assert page.evaluate("document.querySelectorAll('handrail-chart')[1].chart.data.datasets[0].data") == page.evaluate(
        "[...document.querySelectorAll('handrail-chart')[1].querySelectorAll('td')].map((cell) => Number(cell.dataset.value))"
    )
    page.locator("handrail-chart summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("handrail-chart details[open]").count() == 1
    assert mona.faults(both=False) == []  # in the other scheme the chart would be drawn anew, while the next line looks at it
    before = page.evaluate("document.querySelector('handrail-chart').chart.data.datasets[0].borderColor")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("t")
    page.wait_for_function("(before) => document.querySelector('handrail-chart').chart.data.datasets[0].borderColor !== before", arg=before)


def test_without_the_library_the_tables_are_open(screens: Callable[..., "Screen"], company: Company) -> None:
    month(company)
    mona = screens(1440, 900, "light").enter("mona")
    mona.page.route("**/chart.umd.min.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page = mona.go("/ai")
    page.wait_for_selector("[data-plot-error]:not([hidden])")
    assert page.locator("handrail-chart details[open]").count() == 4
    assert mona.faults() == []


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
