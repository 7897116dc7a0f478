"""What a page looks like: panes scroll and pages do not, nothing runs over an edge, the focus is always visible."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from console.activity import sequencing
from tests.company import Company

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow

SCROLLS = "[document.scrollingElement.scrollHeight - innerHeight, document.scrollingElement.scrollWidth - innerWidth]"
OVER_THE_EDGE = """[...document.querySelectorAll('.sect > *, .card > *, .card .scroll-x, .record-columns > div, .column > *')]
    .filter((one) => one.getClientRects().length && one.parentElement.getClientRects().length)
    .filter((one) => one.getBoundingClientRect().right > one.parentElement.getBoundingClientRect().right + 1)
    .map((one) => one.tagName + '.' + one.className)"""
FOCUSED = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    const ringed = (part) => part && (getComputedStyle(part).boxShadow !== 'none' || (getComputedStyle(part).outlineStyle !== 'none' && parseFloat(getComputedStyle(part).outlineWidth) > 0));
    const box = one.getBoundingClientRect();
    const at = document.elementFromPoint(Math.min(innerWidth - 1, Math.max(0, box.left + Math.min(box.width / 2, 30))), Math.min(innerHeight - 1, Math.max(0, box.top + Math.min(box.height / 2, 20))));
    return {
        what: `${one.tagName} ${(one.getAttribute('aria-label') || one.textContent || one.id).trim().slice(0, 40)}`,
        ringed: Boolean(ringed(one) || ringed(one.closest('.outcome')) || ringed(one.closest('.choice'))) && getComputedStyle(one).opacity !== '0',
        uncovered: Boolean(at && (at === one || one.contains(at) || at.contains(one) || [...(one.labels || [])].some((label) => label.contains(at)))),
        large: Math.min(box.width, box.height) >= 24 || one.matches('input') || Boolean(one.closest('dd, p, .sentence, .choice')),
    };
}"""
STOPS = 140


@pytest.fixture
def paths(company: Company) -> list[str]:
    """A page of each kind, full of rows and words."""
    for n in range(100, 160):
        company.sql(
            "insert into customer (id, display_name, desk, risk, balance) values (?, ?, 'retail', 'low', ?)",
            n,
            f"Customer {n}",
            n,
        )
        company.sql("insert into account values (?, 1, 'open')", f"LT{n}" + "9" * 40)
    held, done = company.at("rate", "1"), company.finished("2")
    sequencing.catch_up()
    return [
        "/",
        "/workflows",
        "/c/customer",
        "/c/customer/1",
        "/c/customer/1?tab=details",
        f"/runs/{held}",
        f"/runs/{done}",
        f"/runs/{done}/replay?at=9",
        f"/runs/{held}/revise?step=note",
        "/c/nothing",
    ]


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 700), (320, 640)])
def test_panes_scroll_and_the_page_does_not(
    screens: Callable[..., "Screen"], paths: list[str], width: int, height: int
) -> None:
    olivia = screens(width, height).enter("olivia")
    wrong = []
    for path in paths:
        page = olivia.go(path)
        olivia.settled()
        wrong += [] if page.evaluate(SCROLLS) == [0, 0] else [(path, page.evaluate(SCROLLS))]
        wrong += [(path, over) for over in page.evaluate(OVER_THE_EDGE)]
        page.keyboard.press("End")
        wrong += [] if page.evaluate("scrollY") == 0 else [(path, "scrolled away")]
    assert wrong == []


def test_a_table_that_is_too_wide_scrolls_within_its_card(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    olivia = screens().enter("olivia")
    run = company.at("read")
    for path in ("/c/customer/1", f"/runs/{run}?tab=related"):
        page = olivia.go(path)
        page.wait_for_selector(".scroll-x table")
        page.evaluate(
            "document.querySelectorAll('.scroll-x :is(th, td)').forEach((cell) => { cell.textContent = 'unbreakable'.repeat(12); })"
        )
        assert page.evaluate(
            "(() => { const box = document.querySelector('.scroll-x'); return box.scrollWidth > box.clientWidth; })()"
        )
        assert page.evaluate(OVER_THE_EDGE) == []
        assert page.evaluate(SCROLLS) == [0, 0]
        page.focus(".scroll-x")
        olivia.press("ArrowRight", "ArrowRight")
        page.wait_for_function("() => document.querySelector('.scroll-x').scrollLeft > 0")


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_whatever_has_the_focus_is_seen_and_can_be_hit(
    screens: Callable[..., "Screen"], paths: list[str], width: int, height: int
) -> None:
    olivia = screens(width, height).enter("olivia")
    wrong: list[Any] = []
    for path in paths:
        page = olivia.go(path)
        olivia.settled()
        first = None
        for _ in range(STOPS):
            olivia.press("Tab")
            told = page.evaluate(FOCUSED)
            if told is None or told["what"] == first:
                break
            first = first or told["what"]
            wrong += [] if told["ringed"] and told["uncovered"] and told["large"] else [(path, told)]
    assert wrong == []


def test_the_way_from_sign_in_to_replay_needs_tab_and_enter_alone(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    olivia = screens().sign_in("olivia")
    page = olivia.page

    def reach(words: str, key: str = "Enter") -> None:
        """Press Tab until this has the focus, then the key."""
        for _ in range(STOPS):
            olivia.press("Tab")
            told = page.evaluate(
                "(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent || '').trim().replace(/\\s+/g, ' ')"
            )
            if told.startswith(words):
                return olivia.press(key)
        raise AssertionError(words)

    reach("Records")
    page.wait_for_selector("h1:has-text('Records')")
    reach("Customers")
    page.wait_for_selector("h1:has-text('Customers')")
    reach("Tore Lindqvist")
    page.wait_for_selector("h1:has-text('Tore')")
    reach("Start Care review")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("P")
    reach("Start")
    page.wait_for_url("**/runs/run_*")
    reach("Done")
    olivia.heading("Take a note")
    page.focus("#f-note")
    page.keyboard.type("By keyboard.")
    reach("Save")
    page.wait_for_selector("text=Saved, to continue")
    reach("Resume")
    olivia.heading("Take a note")
    assert page.input_value("#f-note") == "By keyboard."
    reach("Save")
    page.wait_for_selector("text=Saved, to continue")
    reach("Replay")
    page.wait_for_selector("h1:has-text('Replay')")
