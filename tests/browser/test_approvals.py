"""Approvals in a browser: no fault in either scheme or size, and a decision by keyboard alone."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from console import runs
from tests.support.four_eyes import asking, balance, bank, charging, requested, status

if TYPE_CHECKING:
    from tests.browser.conftest import Screen
    from tests.company import Company

pytestmark = pytest.mark.slow

__all__ = ["bank"]


def test_pages_of_approvals_have_no_fault(bank: "Company", screens: Callable[..., "Screen"]) -> None:
    charging(needs=2)
    asking(hours=48, fields=["email", "risk"], values={"note": "steps.note.note"})
    run_id, first = requested(bank)
    _, second = requested(bank, slug="asking", record="2")
    _, third = requested(bank, record="4", by="tom")
    runs.reject(
        bank.mona,
        third,
        reason="<b>No</b>, the amount is far above what this customer ever paid; ask for a statement first.",
    )
    bank.sql("update customer set balance = 77, email = 'new@customers.example' where id = 1")
    mona, faults = screens().enter("mona"), []
    for path in (
        "/approvals",
        "/approvals?list=history",
        "/approvals?list=created",
        f"/approvals/{first}",
        f"/approvals/{second}",
        f"/approvals/{third}",
        f"/runs/{run_id}",
    ):
        mona.go(path)
        faults += mona.faults()
    mona.go("/approvals").click("summary:has-text('Filter')")
    faults += mona.faults()
    olivia = screens().enter("olivia")
    for path in (f"/approvals/{first}", f"/runs/{run_id}"):
        olivia.go(path)
        faults += olivia.faults()
    assert faults == []


def test_a_lead_decides_by_keyboard_alone(bank: "Company", screens: Callable[..., "Screen"]) -> None:
    charging()
    _, first = requested(bank)
    _, second = requested(bank, record="2")
    mona = screens().sign_in("mona")
    page = mona.page
    mona.press("g", "a")
    page.wait_for_url("**/approvals")
    mona.press("j", "j", "Enter")  # what is due first, then the oldest, is at the top
    page.wait_for_url(f"**/approvals/{second}")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("text=Mona approved")
    assert (status(bank, second), balance(bank, 2)) == ("approved", "300")
    mona.go(f"/approvals/{first}")
    mona.press("r")
    page.wait_for_selector("text=Say why in a few words")
    assert page.evaluate("document.activeElement.id") == "reason"
    page.keyboard.type("Too much.")
    page.keyboard.press(
        "Control+Enter"
    )  # it means what it says, and nobody who began to reject approves by it
    page.wait_for_selector("text=You began to reject")
    assert status(bank, first) == "open"
    assert page.inner_text("button:has-text('Approve')").endswith("Ctrl Enter")
    page.evaluate("document.activeElement.blur()")
    mona.press("r")
    page.wait_for_selector("text=Mona rejected")
    assert (status(bank, first), balance(bank)) == ("rejected", "12.5")
