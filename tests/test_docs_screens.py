"""Words by which the documentation, and the pages themselves, send people to a place on the screen: they stand there."""

import re
from functools import cache
from pathlib import Path

from tests.tables import cases
from tests.test_docs import DOCS, PAGES, ROOT, prose, text

ELSEWHERE = {
    "Desk of the customer",
    "Refund failed later",
    "Reviewer in Finance",
    "State is Seen or State is No show",
    "A trigger, a constraint or a right",
}
"""Of the demo, or examples. What other products call theirs stands in quotation marks."""
MADE = {
    "Start Check customer",
    "Search customers",
    "Publish 1 change",
    "Missing from “…”",
    "Page 1",
    "A file of …",
}
"""What a page puts together of a word and a name or number."""
WALKED = [
    page
    for page in PAGES
    if DOCS / "adr" not in page.parents and page.name not in ("CHANGELOG.md", "CONTRIBUTING.md")
]


def compared(words: str) -> str:
    return re.sub(r"\s+", " ", words).replace("’", "'").casefold()


@cache
def shown(*folders: str) -> str:
    """What the code of these folders says to people."""
    files = [
        file
        for folder in folders
        for file in sorted((ROOT / folder).rglob("*"))
        if "vendor" not in file.parts
    ]
    pages = [text(file) for file in files if file.suffix == ".html"]
    others = [text(file) for file in files if file.suffix in (".py", ".js", ".json", ".csv")]
    return compared(
        " ".join([*pages, *(re.sub(r"<[^>]+>|{{.*?}}|{%.*?%}", " ", page) for page in pages), *others])
    )


@cases("page", WALKED, ids=lambda page: str(page.relative_to(ROOT)))
def test_words_in_italics_stand_on_a_page_of_the_console(page: Path) -> None:
    """Names of buttons, headings and fields are in italics, each in capitals as on the screen."""
    named = re.findall(r"(?<![\w*])\*([A-Z][^*\n]{2,60})\*(?![\w*])", prose(page))
    words = [
        word
        for each in named
        if each not in ELSEWHERE | MADE
        for word in re.split(r", (?=[A-Z])| › |: ", each)
    ]
    screens = shown("console", "templates", "workflows", "actions", "policies", "workspaces")
    assert [word for word in words if compared(word).strip(" .,:…") not in screens] == []


def test_who_is_sent_to_a_place_in_the_editor_finds_it_there() -> None:
    """“In the editor, under …” names a heading of the editor, and not that of a link which leads to it."""
    sent = [
        (page.name, place)
        for page in WALKED
        for place in re.findall(r"[Ii]n the editor[^.\n]*?under \*+([^*\n]+)\*+", prose(page))
    ]
    sent += [
        (file.name, place)
        for file in sorted((ROOT / "console").rglob("*.py"))
        for place in re.findall(r"[Ii]n the editor[^.\n]*?under “([^”\n]+)”", text(file))
    ]
    assert len(sent) > 1
    editor = shown("templates/editor", "console/views/editor")
    assert [
        (where, place)
        for where, place in sent
        if any(compared(part) not in editor for part in place.split(", "))
    ] == []
