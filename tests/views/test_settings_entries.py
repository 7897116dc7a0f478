"""The settings: which entries each role has, and what each address answers."""

import pytest

from console.views.settings import area
from tests.views.conftest import Pages

EVERYBODY = {"me", "keys"}
MAY = {
    "olivia": EVERYBODY,
    "mona": EVERYBODY | {"collections"},
    "stan": EVERYBODY,
    "ada": EVERYBODY | {"ai/calls"},
    "rosa": EVERYBODY,
    "ines": {page.name for page in area.PAGES} - {"ai/calls"},
}
"""Person → the pages that their roles open."""


@pytest.mark.parametrize("person", MAY)
def test_an_entry_shows_for_who_may_see_one_of_its_pages(pages: Pages, person: str) -> None:
    browser = getattr(pages, person)
    answers = {page.name: browser.client.get(page.url).status_code for page in area.PAGES}
    assert answers == {name: 200 if name in MAY[person] else 403 for name in answers}
    entries: dict[str, list[str]] = {}
    for page in area.PAGES:
        if page.name in MAY[person]:
            entries.setdefault(page.entry, []).append(page.url)
    firsts = {urls[0] for urls in entries.values()}
    for urls in entries.values():
        links = {link for link in browser.get(urls[-1]).links if link in {page.url for page in area.PAGES}}
        assert links >= firsts | set(urls)
    assert len(entries) <= 9
