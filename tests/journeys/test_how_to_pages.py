"""The pages of the how-tos, in a browser: each way through the settings that they name leads there, for whom they name; what they say to press is there."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.journeys.conftest import Demo
from tests.journeys.documents import ROOT, words
from tests.journeys.screens import Open, Screen, opening, run_of

HOW_TOS = sorted(path.stem for path in (ROOT / "docs/how-to").glob("*.md"))


@pytest.fixture(scope="module")
def screens(chromium: Browser, demo: Demo) -> Iterator[Open]:
    """Screens before the demo."""
    with opening(chromium, demo) as open_one:
        yield open_one


def ways(name: str) -> list[tuple[str, ...]]:
    """The ways through the settings that a how-to names: `Settings, People, Invite`."""
    return [tuple(said.split(", ")) for said in dict.fromkeys(words(f"docs/how-to/{name}.md", "strong", "em")) if said.startswith("Settings, ")]


AS = {("Settings", "AI", "Calls"): "ada"}
"""Who goes there, where it is not the admin."""
ELSEWHERE = {("Settings", "Me", "Company account"): "only where an identity provider is connected: tests/views/test_oidc*.py and tests/browser/test_signing_in.py"}


def test_how_tos_lead_through_the_settings(screens: Open) -> None:
    said = {way for name in HOW_TOS for way in ways(name)}
    assert said >= {*AS, *ELSEWHERE}
    people = {name: screens(name) for name in {"admin", *AS.values()}}
    wrong, walked = list[str](), 0
    for way in sorted(said - {*ELSEWHERE}):
        screen = people[AS.get(way, "admin")].go("/")
        for words_ in way:
            if screen.offers(words_):
                screen.press(words_)
            elif not screen.page.evaluate("(words) => shown(words)", words_):  # a heading over what comes next, or of what was looked for
                wrong.append(f"{', '.join(way)}: nothing is called {words_!r} on {screen.page.url}")
        walked += 1
    assert not wrong, "\n".join(wrong)
    assert walked >= 12
