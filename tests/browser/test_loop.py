"""A list before a person: one item after the other by keyboard alone, and nothing that axe finds."""

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from console import runs, workflows
from tests.company import DOCUMENT, Company
from tests.runs.commands.test_loop import begin
from tests.runs.engine.test_child_runs import begin as begin_alone, branching, children
from tests.support.engine import overdue, step

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

MORE = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 9) insert into account select 'XX' || i, 1, 'open' from n"


@pytest.fixture
def at_list(company: Company) -> str:
    """A run of Olivia's at a list of eleven accounts."""
    company.sql(MORE)
    return begin(company)


def item(screen: "Screen", words: str) -> None:
    """Wait until the item of this title is at hand and has the focus."""
    screen.page.wait_for_selector(f"#item-title:has-text('{words}')")
    screen.focus_on("item-title")


def test_item_by_item_with_the_keyboard(
    screens: Callable[..., "Screen"], company: Company, at_list: str
) -> None:
    olivia = screens().enter("olivia")
    page = olivia.go(f"/runs/{at_list}")
    page.wait_for_selector("#item-title:has-text('LT45 9999 9000 1234 5678')")
    page.focus("#item-title")
    olivia.press("Tab", "G", "Control+Enter")
    item(olivia, "LT459999900012345679")
    assert "1 of 11 done" in page.inner_text(".items header")
    olivia.press("Control+Enter")
    page.wait_for_selector("[role=alert]")
    olivia.focus_on("f-verdict")
    olivia.press("G", "Control+Enter")
    item(olivia, "XX1")
    page.fill("#f-remark", "Half typed")
    page.focus(".items a >> nth=0")
    olivia.press("Enter")
    item(olivia, "LT45 9999 9000 1234 5678")
    assert page.input_value("#f-verdict") == "good"
    assert page.input_value("#f-remark") == ""
    assert "item=LT459999900012345678" in page.url
    page.go_back()
    page.goto(f"{olivia.url}/runs/{at_list}")
    assert page.input_value("#f-remark") == "Half typed", (
        "what was typed for an item is there when one comes back to it"
    )
    page.focus(".items a >> nth=0")
    olivia.press("Enter")
    item(olivia, "LT45 9999 9000 1234 5678")
    page.fill("#f-remark", "Done anew")
    olivia.press("Control+Enter")
    item(olivia, "XX1")
    assert page.input_value("#f-remark") == "Half typed", "handing in another item does not lose it either"
    page.reload()
    assert page.input_value("#f-remark") == "Half typed"
    assert company.told(at_list)["context"]["check"]["done"] == 2


def test_a_list_for_every_eye(screens: Callable[..., "Screen"], at_list: str) -> None:
    olivia = screens().enter("olivia")
    olivia.go(f"/runs/{at_list}").wait_for_selector("#item-title")
    assert olivia.faults() == []


def test_branches_on_their_screen_are_followed_to_their_end(
    screens: Callable[..., "Screen"], company: Company
) -> None:
    branching()
    run_id = begin_alone("branching")
    company.work()
    mona = screens().enter("mona")
    page = mona.go(f"/runs/{run_id}")
    page.wait_for_selector("#parts:has-text('1 of 2 done')")
    assert "pause, until" in page.inner_text("#parts")
    assert mona.faults() == []
    overdue(children(run_id)["right"].id)
    company.work()
    page.wait_for_selector(".result", timeout=5_000)
    page.click(".steps-pane a:has-text('both')")
    page.wait_for_selector("#parts:has-text('2 of 2 done')")
    assert mona.faults() == []


def test_many_candidates_are_searched_and_paged(screens: Callable[..., "Screen"], company: Company) -> None:
    company.sql(MORE)
    document = copy.deepcopy(DOCUMENT) | {"slug": "which-account", "title": "Which account"}
    document["steps"] = [
        step("start", "start", "which"),
        step("which", "load_related", "end", {"items": {"relation": "account", "fields": ["iban"]}}),
        step("end", "end", None),
    ]
    workflows.import_file(document, publish=True)
    run_id = runs.start(company.olivia, "which-account", "customer", "1", {})
    olivia = screens().enter("olivia")
    page = olivia.go(f"/runs/{run_id}")
    rows = page.locator(".picks tbody tr:visible")
    page.wait_for_selector("text=1–10 of 11")
    assert rows.count() == 10
    assert olivia.faults() == []
    page.click("[aria-label='Next records']")
    page.wait_for_selector("text=11–11 of 11")
    assert rows.count() == 1
    page.fill("[aria-label='Find a record']", "XX7")
    page.wait_for_selector("text=1 of 11")
    assert rows.all_inner_texts()[0].startswith("XX7")
    rows.first.locator("input").check()
    olivia.press("Control+Enter")
    page.wait_for_selector(".result")
    assert company.told(run_id)["context"]["which"]["key"] == "XX7"
