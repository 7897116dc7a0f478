"""How-tos about sources, collections and the AI, walked in a browser to the letter."""

from collections.abc import Iterator
from contextlib import nullcontext
from functools import cache

import pytest
from playwright.sync_api import Browser

from tests.journeys.conftest import Demo, alone
from tests.journeys.screens import Open, opening
from tests.journeys.walks import (
    By,
    Walk,
    answered,
    by,
    choose,
    emphasis,
    fill,
    go,
    named,
    press,
    reads,
    see,
    way,
)

pytestmark = pytest.mark.slow

WALKS: dict[str, list[By]] = {
    "send-events-outside": [
        by(
            "admin",
            way("Settings, Developers, Webhooks"),
            press("New webhook"),
            fill("Address", "https://events.example.com/handrail/{own}"),
            see("Sends"),
            press("Everything in the activity log", "Other events, and a filter"),
            see("Only if", "Acts for"),
            press("Make the webhook"),
            see("Copy the secret now"),
            press("I have copied it", "Send a test"),
            see("Deliveries"),
            press("Switch off", "Switch on"),
            named("each button says which event too", "Send again"),
            press("Send again: Test", "Make a new secret"),
            press("I have copied it", "Remove the webhook"),
        ),
    ],
    "shape-your-collections": [
        by(
            "admin",
            way("Settings, Data, Collections"),
            press("Watch list names"),
            see("Plural", "Singular", "Title of a record", "Preview", "As"),
            press("Layout"),
            see("List", "Summary", "Details", "Changing", "Not in the list"),
            press("New record"),
            see("Required"),
            press("Segments", "New segment"),
            see("Try it"),
            press("Relations", "Contacts", "Fields", "More"),
            see("Help", "Values it may have", "Format", "Rules", "Currency of money", "May a model see it?"),
            fill("Help", "As the list spells it"),
            press("Save draft"),
            press("Add a computed field"),
            fill("Name", "shouted"),
            fill("Expression", "upper(record.name)"),
            press("Save draft"),
            press("See changes"),
            press("Undo the last change"),
            press("See changes"),
            press("Publish 1 change"),
            press("Versions"),
            press("Restore"),
            press("As a file"),
            see("Download what counts"),
        ),
    ],
    "connect-your-database": [
        by(
            "admin",
            way("Settings, Data, Data sources, Connect a database"),
            see("Where it is"),
            press("Or give the whole URL"),
            fill("URL", "postgresql://nobody:secret@127.0.0.1:1/none"),
            press("Test the connection"),
            answered(422),
            reads("Nobody listens at 127.0.0.1:1"),
            see("What you want of it", "Connected"),
            press("SQLite file"),
            way("Settings, Data, Data sources"),
            named(
                "a database of more than 200 tables: tests/views/test_connecting_pages.py",
                "Cancel",
                "Try again",
            ),
            emphasis(
                "Names",
                "Titles",
                "Foreign keys",
                "Likely relations",
                "A key with its kind beside it",
                "A foreign key of several columns",
                "Texts in several languages",
                "Values that mean empty",
                "Secrets",
                "Formats",
                "Times without a zone",
                "without a primary key",
            ),
            named(
                "asked where many rows hold such a value: tests/views/test_empty_value_pages.py",
                "Connected",
                "Yes",
            ),
            way("Settings, Data, Collections", "Settings, Data, Collections"),
            press("Watch lists", "More"),
            choose("Hidden", "no"),
            way("Settings, Data, Collections"),
            go("/settings/sources/fernwick_supply"),
            press("Limits and time zone"),
            see("Read-only: nothing can be changed in it from here"),
            press("Cancel"),
            press("Limits and time zone"),
            see("Time zone of its clocks"),
            press("Cancel"),
            press("Indexes for search"),
            go("/settings/sources/fernwick_supply"),
            press("Refresh"),
            reads("Nothing has changed in fernwick_supply"),
            named(
                "offered where something has changed: tests/views/test_source_pages.py",
                "Take it over",
                "Changes",
            ),
            press("Back to fernwick_supply"),
            press("Address"),
            reads("The new address is tried before it counts"),
            press("Cancel"),
            press("Tables"),
            reads("15 of 15 ticked"),
        ),
    ],
    "use-an-ai-provider": [
        by(
            "admin",
            way("Settings, AI", "Settings, AI, Provider"),
            press("Anthropic", "An OpenAI-compatible endpoint"),
            fill("Model", "local-model"),
            fill("Base URL", "https://models.invalid/v1"),
            fill("Key", "sk-nothing"),
            press("Test connection"),
            reads("there is no such host"),
            fill("Key", "sk-nothing"),
            press("Save"),
            answered(422),
            see("Save without trying it"),
            press("Purposes and prices"),
            see(
                "Filling forms in",
                "Decisions",
                "Texts",
                "Building workflows",
                "Prices of a million tokens",
                "Currency",
            ),
            press("Budgets"),
            see("Calls of one run", "Money for one run", "Prompts and answers are kept for"),
            press("AI switches"),
            see("For everybody", "Collections", "Steps"),
            press("Prompt prefix"),
            fill("After it", "Write short sentences."),
            press("Save"),
            reads("Version 1\\s+counts"),
        ),
        by("ada", way("Settings, AI, Calls"), see("Calls")),
        by("admin", go("/settings/ai/budgets"), see("Budgets")),
    ],
    "what-a-model-sees": [
        by(
            "admin",
            way("Settings, Data, Collections"),
            press("Watch lists"),
            press("More"),
            see("May a model see it?"),
            way("Settings, AI, Redaction preview"),
            choose("Collection", "Customers"),
            fill("Its key", "913"),
            press("Show"),
            reads("\\[EMAIL_1\\]"),
            fill("Text", "email: ada@example.com"),
            press("Show", within="form:has(textarea)"),
            reads("\\[EMAIL_1\\]"),
        ),
        by("ada", way("Settings, AI, Calls")),
    ],
    "add-code-of-your-own": [by("admin", way("Settings, Developers, Extensions"), reads("console.hooks"))],
    "sign-in-with-your-identity-provider": [
        by(
            "admin",
            named(
                "needs a provider: tests/browser/test_signing_in.py has one",
                "confidential client",
                "Sign in with your company account",
            ),
            way("Settings, Security, Sign-in"),
            see("Identity provider"),
            emphasis("group", "role", "team", "Who has no role at all is not let in"),
            way("Settings, People and teams, People"),
            press("Olivia Petrauskaitė", "Roles and teams"),
            emphasis("Groups that are not told"),
            named(
                "needs a provider: tests/browser/test_signing_in.py has one",
                "leave them unchanged",
                "Settings, You, Company account",
            ),
            way("Settings, People and teams, People"),
            press("Olivia Petrauskaitė", "Signing in"),
            named("stands for whose page it is", "name", "name"),
            emphasis("An account that was made again at the provider", "Showing again who one is"),
            way("Settings, Security, Sign-in"),
            named(
                "needs a provider: tests/browser/test_signing_in.py has one",
                "People may sign in with a password too",
            ),
            way("Settings, Security, Sign-in"),
        )
    ],
}


@pytest.fixture(scope="module")
def screens(chromium: Browser, demo: Demo) -> Iterator[Open]:
    """A screen for each person, the same in all walks."""
    with opening(chromium, demo) as open_one:
        yield cache(open_one)


@pytest.mark.parametrize("name", sorted(WALKS))
def test_a_how_to_is_walked_to_the_letter(demo: Demo, screens: Open, name: str) -> None:
    with alone(demo, "policy") if name == "connect-your-database" else nullcontext():  # it gives rights
        Walk(name, screens).go(WALKS[name])
