"""A list in a browser: Back, Forward, reload and a copied link give the same view."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.company import Company

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow

SEEN = "() => [document.querySelector('main table').innerText, document.querySelector('#q').value, document.querySelector('th[aria-sort]')?.ariaSort ?? '']"


def seen(olivia: "Screen") -> list[str]:
    """The rows, what is typed, and how the list is sorted."""
    olivia.settled()
    found: list[str] = olivia.page.evaluate(SEEN)
    return found


def walked(olivia: "Screen") -> "dict[str, list[str]]":
    """Address → what was seen there, on a way by clicks and typing."""
    page = olivia.go("/c/customer?segment=")
    views = {page.url: seen(olivia)}
    page.click("thead th a[href*='sort=email']")
    page.wait_for_url("**sort=email**")
    views[page.url] = seen(olivia)
    page.click("thead th a[href*='sort=-email']")
    page.wait_for_url("**sort=-email**")
    page.fill("#q", "adaeze")
    page.wait_for_url("**q=adaeze**")
    views[page.url] = seen(olivia)
    return views


def same(page: "Page", view: list[str]) -> None:
    page.wait_for_function(f"(seen) => JSON.stringify(({SEEN})()) === JSON.stringify(seen)", arg=view)


def test_back_forward_and_reload_give_the_same_list(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    olivia = screens().enter("olivia")
    views = walked(olivia)
    page = olivia.page
    first, second, third = views
    assert len({str(view) for view in views.values()}) == 3, "each is another view"
    assert views[third][1] == "adaeze"
    for go, address in (
        (page.go_back, second),
        (page.go_back, first),
        (page.go_forward, second),
        (page.go_forward, third),
    ):
        go()
        page.wait_for_url(address)
        same(page, views[address])
    page.reload()
    same(page, views[third])
    assert olivia.faults(both=False) == []


def test_a_copied_link_gives_the_same_list_to_somebody_else_with_the_same_rights(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    views = walked(screens().enter("olivia"))
    again = screens().enter("olivia")
    for address, view in views.items():
        page = again.page
        page.goto(address)
        same(page, view)
