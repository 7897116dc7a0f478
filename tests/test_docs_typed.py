"""What a reader types from a page: where its names come from."""

import re

from tests.test_docs import PAGES, fenced, text


def test_what_is_typed_says_where_it_comes_from() -> None:
    """A key and an address that a page has not made stand on the page that makes them; Debian has no `python`."""
    lacking, bare = set(), set()
    for page in PAGES:
        for block in fenced(page, "sh"):
            bare |= {page.name} if re.search(r"^python ", block, re.MULTILINE) else set()
            wanted = {name for name in ("KEY", "URL") if f"${name}" in block}
            made = all(re.search(rf"^ *{name}=", text(page), re.MULTILINE) for name in wanted)
            lacking |= set() if made or "use-the-api.md#a-key-and-a-first-call" in text(page) else {page.name}
    assert (lacking, bare) == (set(), set())
