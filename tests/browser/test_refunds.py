"""A refund before a real browser: by keyboard from the charge to its end, with the yes of a lead, and with a provider that says nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from console.demo import payments
from console.postgres import Embedded
from tests.browser.conftest import served
from tests.demo.refunding import Desk, opened, whole

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

pytestmark = pytest.mark.slow

SIZES = [(1440, 900, "light"), (390, 844, "dark")]


@pytest.fixture(scope="module")
def desk(pg: Embedded, template: str, suite_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with opened(pg, template, suite_folder, tmp_path_factory.mktemp("provider")) as made:
        yield made


@pytest.fixture
def url(desk: Desk) -> Iterator[str]:
    """Where the desk's console is served, in place of the small company's."""
    with served() as address:
        yield address


def test_a_charge_is_refunded_by_keyboard_alone(screens: Callable[..., "Screen"], desk: Desk) -> None:
    charge = payments.PLAIN[2]
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
    olivia.heading("Send the refund")
    assert f"••{desk.sql('select card_last4 from charge where id = %s', charge)[0][0]}" in page.inner_text("main")
    assert "It cannot be recalled once it is done." in page.inner_text("main")
    olivia.press("Control+Enter")
    olivia.heading("Tell the customer: refunded")
    assert desk.sent(charge) == [6_400]
    olivia.press("Control+Enter")
    olivia.heading("Close the ticket")
    assert page.input_value("#f-code") == "refunded"
    olivia.press("Control+Enter")
    olivia.heading("Customer refund is done")
    assert desk.tickets(charge) == []


@pytest.mark.parametrize(("width", "height", "scheme"), SIZES)
def test_too_much_is_said_at_the_field_and_a_lead_agrees(
    screens: Callable[..., "Screen"], desk: Desk, width: int, height: int, scheme: str
) -> None:
    charge = desk.another(90_000)
    olivia = screens(width, height, scheme).enter("olivia")
    page = olivia.go(f"/runs/{desk.start(charge)}")
    olivia.heading("What do we do?")
    page.check("input[name=outcome][value=refund_partial]")
    page.fill("#f-amount", "900.50")
    page.select_option("#f-why", "not_received")
    olivia.press("Control+Enter")
    page.wait_for_selector("text=€900.00 were paid: no more can go back.")
    assert olivia.faults() == []
    page.fill("#f-amount", "300")
    olivia.press("Control+Enter")
    olivia.heading("Send the refund")
    assert "An operator refunds up to €200.00." in page.inner_text("main")
    assert olivia.faults() == []
    olivia.press("Control+Enter")
    page.wait_for_selector("button:has-text('Withdraw')")
    named = desk.sql("select display_name from customer join charge on charge.customer_id = customer.id where charge.id = %s", charge)
    assert named[0][0] in page.inner_text("main")  # the record at the right keeps its names while nothing is asked
    assert (olivia.faults(), desk.sent(charge)) == ([], [])
    mona = screens(width, height, scheme).enter("mona")
    mona.go("/approvals").click("a:has-text('FERNWICK*TEST, €900.00')")
    mona.page.wait_for_selector("text=An operator refunds up to €200.00.")
    assert mona.faults() == []
    mona.press("Control+Enter")
    mona.page.wait_for_selector("text=Mona Verbeek approved")
    assert desk.sent(charge) == [30_000]
    page.reload()
    olivia.heading("Tell the customer: refunded")


def test_no_answer_is_looked_up_and_both_tickets_are_closed(screens: Callable[..., "Screen"], desk: Desk) -> None:
    charge = payments.BRAM
    first, second = desk.tickets(charge)
    run = desk.start(charge)
    olivia = screens().enter("olivia")
    page = olivia.go(f"/runs/{run}")
    olivia.heading("The request")
    assert olivia.faults() == []
    page.check(f"input[value='{first}']")
    olivia.press("Control+Enter")
    olivia.heading("What do we do?")
    page.check("input[name=outcome][value=refund_full]")
    page.select_option("#f-why", "not_as_described")
    olivia.press("Control+Enter")
    olivia.heading("Send the refund")
    olivia.press("Control+Enter")
    page.wait_for_selector("text=Nobody knows whether it happened")
    assert (olivia.faults(), desk.sent(charge), desk.refunds(charge)) == ([], [7_490], [])
    page.click("button:has-text('Check again')")
    olivia.heading("Tell the customer: refunded")
    for title in ("Close the ticket", "Close as duplicate"):
        olivia.press("Control+Enter")
        olivia.heading(title)
    olivia.press("Control+Enter")
    olivia.heading("Customer refund is done")
    assert desk.refunds(charge) == [(7_490, "succeeded", "not_as_described")]
    assert (desk.tickets(charge), desk.tickets(charge, "solved")) == ([], [first, second])
    whole(run)
