"""The page of a record and the list: what is offered first, and what paper shows."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.company import Company

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

SHOWN = "(parts) => parts.filter((part) => part.checkVisibility({opacityProperty: true, visibilityProperty: true})).map((part) => part.innerText.trim())"


def test_one_act_stands_out_two_stand_beside_it_and_paper_has_every_column_and_no_button(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    olivia = screens()
    page = olivia.enter("olivia").go("/c/customer/1")
    olivia.settled()
    assert len(page.eval_on_selector_all(".record-head .bar .primary", SHOWN)) == 1
    assert len(page.eval_on_selector_all(".record-head .bar .btn:not(summary)", SHOWN)) <= 3
    assert page.eval_on_selector_all(".record h3", SHOWN).count("Details") <= 1
    for path in ("/c/customer/1", "/c/customer?segment="):
        page = olivia.go(path)
        olivia.settled()
        heads = page.eval_on_selector_all("main th[scope=col]:not(.act)", SHOWN)
        olivia.page.emulate_media(media="print")
        olivia.page.set_viewport_size({"width": 794, "height": 1123})
        assert page.eval_on_selector_all("main :is(.btn, button, summary.btn, [type=submit])", SHOWN) == []
        assert page.eval_on_selector_all("main th[scope=col]:not(.act)", SHOWN) == heads
        assert page.evaluate(
            "[...document.querySelectorAll('main table')].every((table) => table.getBoundingClientRect().right <= innerWidth)"
        )
        olivia.page.emulate_media(media="screen")
        olivia.page.set_viewport_size({"width": 1440, "height": 900})
