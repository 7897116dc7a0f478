"""A refund in a browser, by keyboard alone from the charge to its end."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from console.demo import stories
from console.infra.postgres import Embedded
from tests.browser.conftest import served
from tests.demo.refunding import Desk, opened
from tests.jobs import RUNNING, work_until_idle

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def desk(
    pg: Embedded, template: str, suite_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    with opened(pg, template, suite_folder, tmp_path_factory.mktemp("provider")) as made:
        yield made


@pytest.fixture
def url(desk: Desk) -> Iterator[str]:
    """Where the desk's console is served, in place of the small company's."""
    with served() as address:
        yield address


def test_a_charge_is_refunded_by_keyboard_alone(screens: Callable[..., "Screen"], desk: Desk) -> None:
    charge = stories.PLAIN_CHARGES[2]
    olivia = screens().enter("olivia")
    page = olivia.go(f"/c/charge/{charge}")
    olivia.press("s")
    olivia.heading("What do we do?")
    page.focus("input[name=outcome][value=refund_full]")
    olivia.press("Space")
    page.focus("#f-why")
    olivia.press("N", "Control+Enter")
    olivia.page.wait_for_selector("#f-why_because")
    olivia.focus_on("f-why_because")
    page.keyboard.type("The carrier lost it")
    olivia.press("Control+Enter")
    olivia.heading("Refund")
    assert page.inner_text("#done").startswith("Send €64.00")
    assert f"••{desk.sql('select card_last4 from charge where id = %s', charge)[0][0]}" in page.inner_text(
        "main"
    )
    assert "It cannot be recalled once it is done." in page.inner_text("main")
    olivia.press("Control+Enter")
    page.wait_for_selector("h2:has-text('E-mail: refunded')")
    assert desk.sent(charge) == [6_400]
    work_until_idle(RUNNING)
    olivia.heading("Customer refund is done")
    assert desk.tickets(charge) == []
