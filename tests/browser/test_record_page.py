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


def test_columns_are_moved_by_arrow_keys_and_the_preview_follows_the_rows(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    olivia = screens()
    page = olivia.enter("olivia").go("/c/customer?segment=")
    olivia.settled()
    page.click("#view summary")
    page.wait_for_selector("#view-sheet form")
    names = "#view-sheet [name=columns]:checked"
    first, second, *rest = page.eval_on_selector_all(names, "(boxes) => boxes.map((box) => box.value)")
    assert not page.query_selector_all("#view-sheet [type=number]")
    page.focus("[data-order] >> nth=0")
    olivia.press("ArrowDown")
    page.drag_and_drop(f".pick-column:has([value={rest[0]}])", f".pick-column:has([value={second}])")
    order = page.eval_on_selector_all(names, "(boxes) => boxes.map((box) => box.value)")
    assert order == [rest[0], second, first, *rest[1:]]
    page.click("#view-sheet .primary")
    olivia.settled()
    heads = page.eval_on_selector_all(
        "th[data-column]", "(heads) => heads.map((head) => head.dataset.column)"
    )
    assert heads[1:] == [name for name in order if name != "display_name"], "the first column is the title"
    olivia.press("j", " ")
    page.wait_for_selector("#preview:not([hidden]) h2")
    for key in ("j", "j", "k"):
        olivia.press(key)
        at = page.evaluate("document.activeElement.querySelector('th a').innerText")
        page.wait_for_selector(f"#preview h2:text-is('{at}')")
    assert page.eval_on_selector("#bulk-action", "(select) => select.value") == ""
    page = olivia.go("/c/customer?segment=&q=nobodyiscalledso")
    page.click("text=Clear search")
    page.wait_for_selector("[data-record]")
