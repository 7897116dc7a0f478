"""A box for a reference, by keyboard and by pointer."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from console import runs
from tests.company import Company
from tests.views.test_reference_boxes import started

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("way", ["keys", "pointer"])
def test_a_record_is_found_by_its_name_and_its_key_is_sent(
    screens: Callable[..., "Screen"], company: Company, way: str
) -> None:
    run = started(company, "mona", given="1")
    mona = screens().enter("mona")
    page = mona.go(f"/runs/{run}")
    box = page.get_by_role("combobox", name="Owner")
    box.press_sequentially("Halcyon Har")
    offered = page.get_by_role("listbox", name="Records").get_by_role("option")
    offered.first.wait_for()
    assert mona.faults() == []
    if way == "keys":
        page.keyboard.press("Enter")
    else:
        offered.first.click()
    assert box.input_value() == "Halcyon Harbour Trading B.V."
    assert page.locator(".picks-offered").count() == 0
    page.get_by_label("Continue").check()
    page.keyboard.press("Control+Enter")
    page.get_by_role("link", name="Halcyon Harbour Trading B.V.").first.wait_for()
    assert runs.get(company.mona, run).json["context"]["ask"]["owner"] == "3"


def test_escape_closes_the_list_and_what_fits_nothing_is_said(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    page = screens().enter("mona").go(f"/runs/{started(company, 'mona')}")
    box = page.get_by_role("combobox", name="Owner")
    box.press_sequentially("zzzz")
    page.get_by_text("No record has this name").wait_for()
    page.keyboard.press("Escape")
    assert page.locator(".picks-offered").count() == 0
    assert (box.input_value(), box.get_attribute("aria-expanded")) == ("zzzz", "false")
