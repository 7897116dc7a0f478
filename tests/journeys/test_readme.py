"""The README's five things, done as they stand, beside the demo: the commands in a shell, the pages in a browser."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.journeys.conftest import Demo
from tests.journeys.documents import ROOT, blocks, passages
from tests.journeys.screens import Open, opening
from tests.journeys.shells import Shell, beginnings, told

README = "README.md"


@pytest.fixture(scope="module")
def shell(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """After the five things."""
    return beginnings(demo, tmp_path_factory.mktemp("readme"))


@pytest.fixture(scope="module")
def screens(chromium: Browser, demo: Demo) -> Iterator[Open]:
    """Screens before the demo."""
    with opening(chromium, demo) as open_one:
        yield open_one


def test_each_block_of_the_readme_can_be_typed(shell: Shell, demo: Demo) -> None:
    typed = [block.text for block in blocks(README, "sh")]
    assert len(typed) == 2, "a block was added: it belongs into the shell of this test"
    for line in typed[0].splitlines():
        assert (ROOT / line.split()[0]).stat().st_mode & 0o111, line
    said = told(demo)
    assert said.code == 0, said.err
    assert f'First call: curl -H "Authorization: Bearer $KEY" {demo.url}/api/v1/me' in said.out
    for word in ("shop.customer", "ana@example.com", "check-customer", "handrail.zip"):
        assert word in said.out, word
    me = next(json.loads(line) for line in said.out.splitlines() if line.startswith('{"'))
    assert (me["email"], me["name"], me["roles"], me["teams"]) == (
        "ana@example.com",
        "Ana Ilić",
        ["operator"],
        ["operations"],
    )


def test_what_came_of_them_is_there_for_whom_it_says_and_for_nobody_else(
    shell: Shell, demo: Demo, screens: Open
) -> None:
    olivia = screens("olivia").go("/c")
    olivia.see("Records")
    olivia.go("/c/shop.customer/1").see("Start Check customer")
    rosa = screens("rosa").go("/c/shop.customer")
    rosa.was_answered(404)


def test_the_pages_of_the_five_things_are_where_the_readme_says(shell: Shell, screens: Open) -> None:
    said = [
        word.text
        for passage in passages(README)
        if passage.title == "The next five things"
        for word in passage.words
        if word.kind == "em"
    ]
    ways = [
        ("Settings", "Data", "Data sources", "Connect a database"),
        ("Settings", "People and teams", "People", "Invite"),
        ("Workflows", "New workflow"),
    ]
    assert tuple(said) == (*ways[0], "Records", *ways[1], *ways[2])
    for who, way in zip(("admin", "admin", "mona"), ways, strict=True):
        person = screens(who).go("/")
        for words in way:
            person.press(words)
        person.see(way[-1])


def test_the_documents_that_the_readme_sends_to_are_short_of_nothing(tmp_path: Path, shell: Shell) -> None:
    said = shell.type(f"cd {ROOT}; bin/demo --help; console backup {tmp_path}/readme.zip")
    assert said.code == 0, said.err
    assert "--reset" in said.out
    assert (tmp_path / "readme.zip").exists()
