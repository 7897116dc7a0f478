"""Steps on one screen, in a browser: one form, one button, and what stands below follows what is typed above."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from console import runs, workflows
from tests.company import Company
from tests.runs.commands.test_gathered import document

if TYPE_CHECKING:
    from tests.browser.conftest import Screen


def test_one_screen_is_one_form_by_keyboard(screens: Callable[..., "Screen"], company: Company) -> None:
    workflows.import_file(document(), publish=True)
    run_id = runs.start(company.olivia, "gathered", "customer", "1", {"why": "periodic"})
    company.answer(run_id)
    olivia = screens().enter("olivia")
    olivia.go(f"/runs/{run_id}")
    olivia.heading("Judgement")
    page = olivia.page
    assert page.locator("#step-form h3").all_inner_texts()[:3] == ["Score", "Rate the risk", "Decide"]
    assert olivia.faults() == []

    page.fill("#f-note", "Fine.")
    page.fill("#f-count", "4")
    page.wait_for_selector("#part-score:has-text('Noted: Fine.')")
    page.wait_for_selector("#part-score:has-text('8')")
    page.locator("#part-score input.input").fill("Twice.")
    page.locator("#part-rate select").select_option("high")
    page.wait_for_selector("#saved:has-text('Draft saved')")
    olivia.press("Control+Enter")
    page.wait_for_selector("[role=alert]")
    assert page.locator("#part-score input.input").input_value() == "Twice."
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/gathered.png", full_page=True)

    page.reload()
    olivia.heading("Judgement")
    assert page.locator("#part-rate select").input_value() == "high"
    assert page.input_value("#f-note") == "Fine."
    page.get_by_label("Approve").check()
    page.wait_for_selector("#saved:has-text('Draft saved')")
    olivia.press("Control+Enter")
    page.wait_for_selector("h2:has-text('Gathered is done')")
    assert company.sql("select risk from customer where id = 1") == [("high",)]
    assert olivia.faults() == []


def test_without_script_the_same_form_does_it(screens: Callable[..., "Screen"], company: Company) -> None:
    workflows.import_file(document(), publish=True)
    run_id = runs.start(company.olivia, "gathered", "customer", "1", {"why": "periodic"})
    company.answer(run_id)
    olivia = screens(script=False).enter("olivia")
    page = olivia.go(f"/runs/{run_id}")
    page.fill("#f-note", "Fine.")
    page.fill("#f-count", "4")
    page.locator("#part-score input.input").fill("Twice.")
    page.locator("#part-rate select").select_option("high")
    page.get_by_label("Approve").check()
    page.locator("#done").click()
    assert "says something else" in page.inner_text("#notice")
    assert "8" in page.locator("#part-score").inner_text()
    page.locator("#done").click()
    assert runs.get(company.olivia, run_id).json["status"] == "completed"
