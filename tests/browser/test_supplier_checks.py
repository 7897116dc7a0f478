"""The checks of a supplier: all items of the list on one screen, each completed as an item of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from console.demo import filling, world as rows
from console.infra.postgres import Embedded
from tests.browser.conftest import served
from tests.demo.conftest import TODAY
from tests.demo.procurement import House, supplied

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow


SMALL = "231"


@pytest.fixture
def fresh(
    pg: Embedded, template: str, suite_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Procurement with its suppliers."""
    world, folder = rows.load(TODAY), tmp_path_factory.mktemp("checks")
    filling.fill_sqlite(folder / "supply.db", world.supply)
    with supplied(pg, suite_folder, world, folder / "supply.db", folder) as made:
        yield made


@pytest.fixture
def url(fresh: House) -> Iterator[str]:
    """Where the demo's console is served."""
    with served() as address:
        yield address


def test_all_checks_of_a_supplier_are_answered_on_one_screen(
    screens: Callable[..., "Screen"], fresh: House
) -> None:
    run_id = fresh.begin(SMALL)
    fresh.to(run_id, "validate")
    total = fresh.told(run_id, "stan")["current"]["progress"]["total"]
    stan = screens().enter("stan")
    page = stan.go(f"/runs/{run_id}")
    stan.heading("Checks")
    results = page.locator("select[name$=result]")
    assert results.count() == total == page.locator("section.part").count() + 1
    page.locator("section.part .checks, #checks").last.wait_for()
    page.wait_for_function("() => !document.querySelector('.coming')")
    assert page.locator("main").count() == 1, "the results stand in each part, and nothing of their own page"
    assert page.locator(".items-grid > .part").count() == total
    assert stan.faults() == []
    for number in range(total):
        results.nth(number).select_option("pass")
    last = page.locator("section.part").last
    results.last.select_option("exception")
    last.locator("textarea[name$='/note']").fill("Names differ")
    page.click("#done")
    page.wait_for_selector("[name$=result_because]:visible, #step-title:has-text('On a list?')")
    for reason in page.locator("[name$=result_because]:visible").all():
        reason.fill("Seen on paper")
    if page.locator("[name$=result_because]:visible").count():
        page.click("#done")
    page.wait_for_selector("#step-title:has-text('On a list?')")
    told = fresh.told(run_id, "stan")["context"]["validate"]
    assert (told["done"], len(told["exceptions"])) == (total, 1)
    assert fresh.steps(run_id).count("validate") == total
