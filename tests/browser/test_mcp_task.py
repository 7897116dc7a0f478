"""docs/how-to/call-a-tool.md to the letter: an administrator registers a server, a lead builds the step, an operator executes it or does it by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

from tests.company import Company
from tests.journeys.documents import words
from tests.journeys.screens import LEFT_BEHIND
from tests.servers import mcp_servers
from tests.servers.mcp_servers import Hostile

if TYPE_CHECKING:
    from tests.browser.conftest import Screen

PRESSED = {
    "Register a server",
    "Name",
    "Address",
    "Program",
    "Save and ask",
    "Allow in steps",
    "Read-only",
    "Show description",
    "Accept",
    "Add step",
    "MCP task",
    "Server",
    "Tool",
    "Execute",
    "Handle Manually",
    "Ask again",
}
SAVED = "#saved:has-text('Draft saved')"
SAID_AT_THE_BUTTONS = """() => {
    const box = document.querySelector("[data-sentence] [data-said]");
    box.dispatchEvent(new CustomEvent("htmx:oobAfterSwap", { bubbles: true, detail: { target: box } }));
}"""
"""As a draft answers where something is to be said at a choice whose options are the buttons: it has no box of its own."""


def test_every_word_of_the_how_to_is_pressed_here() -> None:
    assert set(words("docs/how-to/call-a-tool.md", "strong")) == PRESSED


def test_from_a_server_to_a_tool_that_was_executed(
    screens: Callable[..., "Screen"], company: Company, tmp_path: Path, given_settings: Callable[..., None]
) -> None:
    hostile = Hostile(tmp_path)
    given_settings(CONSOLE_SANDBOX="off", CONSOLE_MCP_COMMANDS=mcp_servers.allowed(files=hostile.command))
    ines = screens().enter("ines")
    page = ines.go("/settings/mcp")
    page.get_by_role("link", name="Register a server").first.click()
    page.locator("[name=name]").fill("files")
    expect(page.get_by_label("Address", exact=True)).to_be_visible()
    page.get_by_label("Program").select_option("files")
    assert ines.faults() == []
    page.get_by_role("button", name="Save and ask").click()
    page.get_by_label("Allow in steps: write", exact=True).check()
    page.get_by_label("Allow in steps: look").check()
    page.get_by_label("Read-only: look").check()
    expect(page.get_by_label("Show description: write", exact=True)).not_to_be_checked()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("Accepted", exact=True)).to_have_count(2)
    assert ines.faults() == []

    mona = screens().enter("mona")
    page = mona.go("/workflows")
    page.get_by_role("link", name="New workflow").click()
    page.get_by_label("Title").fill("Write down")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-outline] [data-step=start]")
    page.wait_for_load_state("domcontentloaded")
    for search, title in (("mcp", "MCP task"), ("end", "End")):
        page.get_by_role("button", name="Add step").press("Enter")
        page.keyboard.type(search)
        page.keyboard.press("Enter")
        expect(page.locator("#panel h2")).to_have_text(title)
    page.locator("[data-outline] [data-select=mcp_task]").click()
    page.locator("select#f-config-server").select_option("files")
    page.locator("select#f-config-tool").select_option("write")
    expect(page.locator("#problems")).to_contain_text("No problems")
    assert mona.faults() == []
    page.get_by_role("link", name="Publish").click()
    page.locator("#note").fill("The first one.")
    page.get_by_role("button", name="Publish").click()
    page.wait_for_url("**/workflows/write-down")

    olivia = screens().enter("olivia")
    page = begun(olivia)
    page.get_by_role("button", name="Execute").click()
    expect(page.get_by_text("Path is needed.").first).to_be_visible()
    page.get_by_label("Path").fill("a.txt")
    page.wait_for_selector(SAVED)
    page.evaluate(SAID_AT_THE_BUTTONS)
    assert faults(olivia) == []
    page.get_by_role("button", name="Execute").click()
    expect(page.get_by_text("Write down is done").first).to_be_visible()
    assert hostile.calls == [["write", {"path": "a.txt"}]]

    hostile.be("changed")
    page = begun(olivia)
    page.get_by_label("Path").fill("b.txt")
    page.wait_for_selector(SAVED)
    page.get_by_role("button", name="Execute").click()
    expect(page.get_by_text("iban is new and required").first).to_be_visible()
    assert faults(olivia) == []
    page.get_by_role("button", name="Handle Manually").click()
    expect(page.get_by_text("Write down is done").first).to_be_visible()
    assert len(hostile.calls) == 1
    assert faults(olivia) == []

    page = ines.go("/settings/mcp/files")
    page.get_by_role("button", name="Ask again").click()
    expect(page.get_by_text("Changed", exact=True)).to_have_count(1)
    expect(page.get_by_text("Since it was accepted")).to_contain_text("iban is new and required")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("Changed", exact=True)).to_have_count(0)
    assert ines.faults() == []


def faults(screen: "Screen") -> list[str]:
    """What is wrong with the page. A draft that Execute overtakes is given up by htmx, which says so."""
    screen.complaints[:] = [words for words in screen.complaints if not words.startswith(LEFT_BEHIND)]
    return screen.faults()


def begun(screen: "Screen") -> Page:
    """A run of the workflow that stands at the step."""
    screen.page.wait_for_load_state("networkidle")  # what is asked when one leaves is a complaint
    page = screen.go("/workflows/write-down/start")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/runs/**")
    return page
