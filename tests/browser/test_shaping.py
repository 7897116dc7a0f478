"""A collection is shaped by dragging and by keyboard, beside a preview that follows; without script by buttons. No page has a fault."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from console.sources import collections
from tests.company import Company

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow

HERE = "/settings/collections/customer"


def names(page: "Page", group: int = 0) -> list[str]:
    """Labels of the items of a group, in order."""
    return page.locator("[data-arrange]").nth(group).locator(".arrange-name").all_inner_texts()


def test_a_layout_is_arranged_by_pointer_and_by_keyboard(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    ines = screens().enter("ines")
    faults: list[str] = []
    for path in (
        "",
        "/layout/new",
        "/layout/edit",
        "/segments",
        "/new-segment",
        "/relations",
        "/new-relation?with=account",
        "/fields/email",
    ):
        ines.go(HERE + path)
        faults += ines.faults()
    page = ines.go(f"{HERE}/layout/list")
    before = names(page)
    page.get_by_role("button", name=f"Move {before[0]}", exact=True).focus()
    ines.press("Alt+ArrowDown")
    assert names(page)[:2] == [before[1], before[0]]
    assert page.locator("#moved").inner_text() == f"{before[0]} is number 2 of {len(before)} in Columns"
    page.get_by_text("Not saved yet").wait_for()
    for _ in range(len(before) - 1):
        ines.press("Alt+ArrowDown")
    assert before[0] in names(page, 1), "past the end it enters the next group"
    assert page.locator(".arrange-head .num").first.inner_text() == str(len(before) - 1)
    handle = page.get_by_role("button", name=f"Move {before[0]}", exact=True)
    handle.drag_to(page.locator("[data-arrange] > li").first, target_position={"x": 20, "y": 2})
    page.wait_for_function(
        "name => document.querySelector('[data-arrange] .arrange-name').innerText === name", arg=before[0]
    )
    page.locator("#preview th[scope=col]").nth(1).wait_for()
    with page.expect_navigation():
        ines.press("Control+s")
    assert names(page)[0] == before[0]
    page = ines.go(f"{HERE}/layout/summary")
    page.get_by_role("button", name="Add a group").click()
    page.get_by_label("Heading of the group").last.fill("How to reach them")
    page.get_by_role("button", name="Move Email", exact=True).drag_to(page.locator("[data-arrange]").nth(1))
    page.locator("#preview h3", has_text="How to reach them").wait_for()
    page.get_by_label("As", exact=True).select_option("auditor")
    page.get_by_text("may not browse").wait_for()
    with page.expect_navigation():
        page.get_by_role("button", name="Save draft").last.click()
    faults += ines.faults()
    summary = collections.open_collection(company.ines, "customer").document.to_json()["summary"]
    assert summary["sections"][-1]["fields"] == ["email"]
    page = ines.go(f"{HERE}/new-segment")
    page.get_by_label("Field", exact=True).select_option("balance")
    page.get_by_label("Comparison").locator("option", has_text="contains").wait_for(state="detached")
    offered = page.get_by_label("Comparison").locator("option").all_inner_texts()
    assert offered == [
        "is",
        "is not",
        "is less than",
        "is at most",
        "is more than",
        "is at least",
        "is one of",
        "is empty",
        "is not empty",
    ]
    page.get_by_role("radio", name="A SELECT").check()
    assert page.get_by_label("Field").is_hidden()
    assert (faults, ines.complaints) == ([], [])
