"""docs/how-to/connect-a-system.md to the letter: an administrator connects Slack, a lead builds the step, and a run sends the message."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from console import runs
from console.infra.db.engine import fetch
from tests.company import Company
from tests.journeys.documents import words
from tests.servers import apis

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

PRESSED = {
    "Add a connection",
    "Slack",
    "Name",
    "Address",
    "Key",
    "Save and test",
    "Test",
    "Add step",
    "Action",
    "Operation",
    "Connector",
    "Call",
    "Values",
}


def test_every_word_of_the_how_to_is_pressed_here() -> None:
    assert set(words("docs/how-to/connect-a-system.md", "strong")) == PRESSED


def test_from_a_connection_to_a_message_that_was_sent(
    screens: Callable[..., "Screen"], company: Company, given_settings: Callable[..., None]
) -> None:
    given_settings(CONSOLE_PRIVATE_HOSTS="127.0.0.1")
    with apis.slack() as slack:
        ines = screens().enter("ines")
        page = ines.go("/settings/connections")
        page.get_by_role("link", name="Add a connection").first.click()
        assert ines.faults() == []
        page.get_by_role("link", name="Slack").click()
        expect(page.get_by_label("Name")).to_have_value("slack")
        expect(page.get_by_label("Address")).to_have_value("https://slack.com/api")
        page.get_by_label("Address").fill(slack.url)
        page.get_by_label("Key").fill(apis.SLACK_TOKEN)
        assert ines.faults() == []
        page.get_by_role("button", name="Save and test").click()
        expect(page.get_by_text("Works", exact=True)).to_be_visible()
        page.get_by_role("button", name="Test", exact=True).click()
        expect(page.get_by_text("slack works", exact=True)).to_be_visible()
        assert ines.faults() == []

        mona = screens().enter("mona")
        page = mona.go("/workflows")
        page.get_by_role("link", name="New workflow").click()
        page.get_by_label("Title").fill("Say hello")
        page.keyboard.press("Enter")
        page.wait_for_selector("[data-outline] [data-step=start]")
        page.wait_for_load_state("domcontentloaded")
        for search, title in (("Action", "Action"), ("end", "End")):
            page.get_by_role("button", name="Add step").press("Enter")
            page.keyboard.type(search)
            page.keyboard.press("Enter")
            expect(page.locator("#panel h2")).to_have_text(title)
        page.locator("[data-outline] [data-select=action]").click()
        page.get_by_label("Operation").select_option(label="Ask another system (connector)")
        page.get_by_label("Connector").select_option(label="Slack")
        page.locator("select#f-config-call").select_option(label="Send a message")
        expect(page.locator("#f-config-call-help")).to_contain_text("Everybody in the channel can read it")
        page.get_by_role("button", name="Values").click()
        for field, text in (("Channel", "C1"), ("Text", "Hello from here")):
            page.get_by_label("Add to Values").select_option(label=field)
            page.locator(f"[id=f-config-values-{field.lower()}]").fill(text)
            page.keyboard.press("Tab")
        expect(page.locator("#problems")).to_contain_text("No problems")
        assert mona.faults() == []
        page.get_by_role("link", name="Publish").click()
        page.locator("#note").fill("The first one.")
        page.get_by_role("button", name="Publish").click()
        page.wait_for_url("**/workflows/say-hello")

        run_id = runs.start(company.olivia, "say-hello", None, None)
        company.work()
        assert company.told(run_id)["status"] == "completed"
        assert slack.done[0]["blocks"][0]["text"]["text"] == "Hello from here"
        assert apis.SLACK_TOKEN not in json.dumps(fetch("select body::text from console.event"))
