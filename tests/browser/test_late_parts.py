"""Parts of a page that come later: one that does not come says so in its place, and comes with Try again."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Route

    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("wrong", ["server", "network"])
def test_a_part_that_does_not_come_says_so_and_comes_with_try_again(
    screens: Callable[..., "Screen"], wrong: str
) -> None:
    olivia = screens().enter("olivia")
    page, broken = olivia.page, [True]

    def answered(route: "Route") -> None:
        if not broken[0]:
            route.continue_()
        elif wrong == "server":
            route.fulfill(status=500, body="")
        else:
            route.abort()

    page.route("**/related", answered)
    page.goto(f"{olivia.url}/c/customer/1")
    notice = page.locator(".related-all .notice")
    notice.wait_for()
    assert page.locator(".related-all .skeleton").count() == 0, "nothing looks as if it still came"
    page.locator("#notes textarea").first.wait_for()  # the rest of the page lives on
    broken[0] = False
    notice.get_by_role("button", name="Try again").click()
    notice.wait_for(state="detached")
    page.locator(".related-all table").first.wait_for()
    olivia.complaints.clear()  # the browser notes what failed
