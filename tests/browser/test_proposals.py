"""Proposals before a person: nothing typed is overwritten, they are taken by keyboard, and axe finds nothing."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.views import proposals
from tests.views.proposals import arrives, source, value

if TYPE_CHECKING:
    from tests.browser.conftest import Screen
    from tests.company import Company

pytestmark = pytest.mark.slow

NOTE = source(
    "s2",
    kind="step",
    step="note",
    title="Take a note",
    field="note",
    quote="Looked at it.",
    collection=None,
    record=None,
)
EYES = [(1440, 900, "light"), (390, 844, "dark")]


def come(company: "Company", run_id: str) -> None:
    """One value that fills, one that is offered."""
    arrives(
        company,
        run_id,
        value("risk", "medium", "low", "Two transfers a month.", source()),
        value("email", "new@customers.example", "high", "The note says so.", NOTE),
    )


def test_nothing_that_is_typed_is_overwritten_and_the_caret_stays(
    screens: Callable[..., "Screen"], company: "Company"
) -> None:
    run = proposals.at(company, "note")
    olivia = screens().enter("olivia")
    page = olivia.go(f"/runs/{run}")
    expect(page.locator("#proposal")).to_contain_text("Looking for what rules can fill in")
    page.focus("#f-note")
    page.keyboard.type("half a sen")
    arrives(
        company,
        run,
        value("note", "What a model would write.", "high", "", source()),
        value("count", 3, "high", "", source()),
    )
    expect(page.locator("[data-ai=count]")).to_have_attribute("data-ai-state", "fill")
    assert page.input_value("#f-count") == "3"
    page.keyboard.type("tence")
    assert page.input_value("#f-note") == "half a sentence"
    assert page.get_attribute("[data-ai=note]", "data-ai-state") == "offer"
    expect(page.locator("#status")).to_have_text("2 proposals are there.")
    page.click("[data-ai=note] [data-ai-do=use]")
    assert page.input_value("#f-note") == "What a model would write."
    olivia.press("Control+Enter")
    olivia.heading("Rate the risk")
    assert company.told(run)["context"]["note"] == {"note": "What a model would write.", "count": 3}


def test_proposals_are_taken_and_left_by_keyboard_alone(
    screens: Callable[..., "Screen"], company: "Company"
) -> None:
    run = proposals.at(company, "rate")
    olivia = screens().enter("olivia")
    page = olivia.go(f"/runs/{run}")
    come(company, run)
    email, risk = page.locator("[data-ai=email]"), page.locator("[data-ai=risk]")
    expect(email).to_have_attribute("data-ai-state", "fill")
    expect(page.locator("#open-fields")).to_have_text("0 of 1 reviewed")
    olivia.press("a")
    expect(email).to_have_attribute("data-ai-state", "accepted")
    expect(page.locator("[data-ai-do=confident]")).to_be_hidden()
    page.focus("#f-email")
    olivia.press("End")
    page.keyboard.type("x")
    expect(email).to_have_attribute("data-ai-state", "edited")
    page.locator("[data-ai=email] [data-ai-do=restore]").focus()
    olivia.press("Enter")
    expect(email).to_have_attribute("data-ai-state", "fill")
    assert page.input_value("#f-email") == "new@customers.example"
    page.locator("[data-ai=risk] [data-ai-do=use]").focus()
    olivia.press("Enter")
    expect(risk).to_have_attribute("data-ai-state", "accepted")
    olivia.focus_on("f-risk")
    page.wait_for_selector("#saved:has-text('Draft saved')")
    page.reload()
    expect(risk).to_have_attribute("data-ai-state", "accepted")
    expect(email).to_have_attribute("data-ai-state", "fill")
    assert page.input_value("#f-risk") == "medium"


@pytest.mark.parametrize(("width", "height", "scheme"), EYES)
def test_proposals_are_for_every_eye(
    screens: Callable[..., "Screen"], company: "Company", width: int, height: int, scheme: str
) -> None:
    run = proposals.at(company, "rate")
    olivia = screens(width, height, scheme).enter("olivia")
    page = olivia.go(f"/runs/{run}")
    found = olivia.faults()
    come(company, run)
    expect(page.locator("[data-ai=email]")).to_have_attribute("data-ai-state", "fill")
    found += olivia.faults()
    page.click("[data-ai=email] [data-ai-do=accept]")
    page.click("[data-ai=risk] [data-ai-do=use]")
    page.click("[data-ai=email] a[data-source]")
    expect(page.locator("#source-title")).to_be_visible()
    found += olivia.faults()
    olivia.go(f"/runs/{run}?tab=context")
    found += olivia.faults()
    page.evaluate("document.activeElement.blur()")
    olivia.press("m")
    expect(page.locator("[data-strip=by-hand]")).to_be_visible()
    found += olivia.faults()
    assert found == []


def test_a_choice_and_its_reasons_and_the_replay_are_for_every_eye(
    screens: Callable[..., "Screen"], company: "Company"
) -> None:
    run = proposals.at(company, "decide")
    olivia = screens().enter("olivia")
    page = olivia.go(f"/runs/{run}")
    arrives(
        company,
        run,
        outcome="approve",
        choice={"confidence": "high", "reason": "Nothing speaks against it.", "sources": [source(), NOTE]},
    )
    expect(page.locator("[data-ai=outcome]")).to_have_attribute("data-ai-state", "fill")
    found = olivia.faults()
    assert page.is_checked("#outcome")
    page.check("#outcome-2")
    expect(page.locator("[data-ai=outcome]")).to_have_attribute("data-ai-state", "edited")
    page.check("#outcome")
    expect(page.locator("[data-ai=outcome]")).to_have_attribute("data-ai-state", "accepted")
    olivia.press("Control+Enter")
    page.wait_for_selector("text=is done")
    olivia.go(f"/runs/{run}/replay?at=20")
    found += olivia.faults()
    olivia.go("/patterns")
    found += olivia.faults()
    assert found == []
