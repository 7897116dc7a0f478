"""Asking beside a run, a record and an approval in a browser: the answer appears in its place, and the page around it stays."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.papers import at_note, workflow
from tests.support.four_eyes import bank, charging, requested

if TYPE_CHECKING:
    from tests.browser.conftest import Screen
    from tests.company import Company

pytestmark = pytest.mark.slow

__all__ = ["bank"]


def ask(screen: "Screen", question: str, answer: str, *stays: str) -> None:
    """Ask where the box stands, by keyboard, and see that the parts of the page that `stays` names are still there."""
    page = screen.page
    box = page.get_by_placeholder("Ask about this case")
    box.fill(question)
    box.press("Enter")
    expect(page.locator("#ask-talk")).to_contain_text(answer)
    expect(page.get_by_placeholder("Ask about this case")).to_be_visible()
    for part in stays:
        expect(page.locator(part).first).to_be_visible()
    assert screen.faults() == []


def test_an_answer_appears_beside_the_step_for_who_works_on_it_and_who_looks_on(
    company: "Company", screens: Callable[..., "Screen"]
) -> None:
    asked = [{"name": "why", "label": "Why", "type": "long_text"}]
    workflow("noted", {"type": "update_data", "config": {"form": asked}, "next": {"default": "rate"}})
    run_id = at_note(company, "noted", "1")
    olivia = screens().enter("olivia")
    page = olivia.go(f"/runs/{run_id}")
    typed = page.get_by_label("Why")
    typed.fill("Half a sentence")
    page.locator("#context").get_by_role("link", name="Ask").click()
    ask(olivia, "What is the email?", "adaeze@customers.example", "#context", "#run")
    expect(typed).to_have_value("Half a sentence")
    mona = screens().enter("mona")
    mona.go(f"/runs/{run_id}").locator("#context").get_by_role("link", name="Ask").click()
    ask(mona, "What is the email?", "adaeze@customers.example", "#context", "main h2")


def test_an_answer_appears_below_a_record_and_in_an_approval(
    bank: "Company", screens: Callable[..., "Screen"]
) -> None:
    charging()
    _, approval = requested(bank)
    mona = screens().enter("mona")
    for path in ("/c/customer/1", f"/approvals/{approval}"):
        mona.go(path).locator("summary", has_text="Ask about this case").click()
        ask(mona, "What is the email?", "adaeze@customers.example", "main h2")
