"""What is kept of a page is what it would be made of anew: whatever changes shows at once, and nobody gets another's page."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from jinja2 import nodes

from console import access, queue
from console.access import policy_store
from console.db.engine import transaction
from console.records import catalogue
from console.views import frame, kept_frames, lists

if TYPE_CHECKING:
    from tests.views.conftest import Browser, Pages

ADDRESSES = [
    "/c/customer",
    "/c/customer?q=a",
    "/c/customer?sort=-email",
    "/c/customer?filter=email:example&view=1",
    "/c/customer?preview=1",
]


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    kept_frames._kept.clear()
    yield
    kept_frames._kept.clear()


def bare(html: str) -> str:
    return re.sub(r'data-session-left="\d+"', "", html)


def as_anew(*people: "Browser") -> None:
    """Everybody's pages are the same without what is kept."""
    for person in people:
        for address in ADDRESSES:
            kept = bare(person.client.get(address).text)
            before = dict(kept_frames._kept)
            kept_frames._kept.clear()
            assert bare(person.client.get(address).text) == kept, address
            kept_frames._kept.update(before)


def test_every_change_shows_at_once(pages: "Pages") -> None:
    ines, olivia, mona = pages.ines, pages.olivia, pages.mona
    as_anew(ines, olivia, mona)
    assert kept_frames._kept, "pages are kept"

    known = catalogue.current()
    told = replace(known.collections["customer"], label="Clients")
    with patch.object(catalogue, "current", lambda: replace(known, collections={**known.collections, "customer": told})):
        assert "<h1>Clients</h1>" in olivia.get("/c/customer").html
        as_anew(ines, olivia)
    assert "<h1>Clients</h1>" not in olivia.get("/c/customer").html

    assert "/export/c/customer" in mona.get("/c/customer").html
    with transaction() as connection:
        policy_store.write(
            connection,
            added=access.parse("p, role:lead, *, collection:customer, export, deny\np, role:operator, *, field:customer/email, read, deny"),
        )
    policy_store.refresh()
    assert "/export/c/customer" not in mona.get("/c/customer").html
    assert ">Email<" not in olivia.get("/c/customer").html
    as_anew(ines, olivia, mona)

    olivia.client.set_cookie("theme", "dark")
    assert 'data-theme="dark"' in olivia.get("/c/customer").html
    assert 'data-theme="dark"' not in mona.get("/c/customer").html
    with patch.object(queue, "paused_at", lambda: datetime(2026, 11, 20, tzinfo=UTC)):
        assert "Everything that goes by itself is paused" in olivia.get("/c/customer").html
    assert "Everything that goes by itself is paused" not in olivia.get("/c/customer").html


def test_each_browser_has_its_own_token_and_nothing_is_taken_for_a_hole(pages: "Pages") -> None:
    tokens = [
        set(re.findall(r'data-token="([^"]+)"', browser.get("/c/customer").html)) for browser in (pages.ines, pages.olivia, pages.ines)
    ]
    assert len(tokens[0]) == 1
    assert tokens[0] == tokens[2] != tokens[1]
    forged = f"{kept_frames._MARK}rows{kept_frames._MARK}"[:8] + "rows"
    assert forged in pages.ines.get(f"/c/customer?q={forged}").html


def test_values_that_are_equal_but_not_alike_are_told_apart() -> None:
    alike: list[Any] = [1, True, 1.0, "1", frame.Markup("1"), None, "", [], {}]
    assert len({repr(kept_frames._comparable(value)) for value in alike}) == len(alike)
    assert kept_frames._comparable("<b>") != kept_frames._comparable(frame.Markup("<b>"))
    for changing in (object(), {1, 2}, iter(())):
        with pytest.raises(kept_frames.Uncomparable):
            kept_frames._comparable(changing)


def test_holes_are_printed_or_asked_for_and_every_function_is_known(pages: "Pages") -> None:
    env, holes = pages.app.jinja_env, lists.HOLES | kept_frames.EVERY_PAGE
    assert "rows" in kept_frames.reads(env, "lists/list.html", tuple(frame.MACROS.items()))
    for name in ("lists/list.html", "lists/bulk.html", "lists/saving.html", "lists/preview.html", "layouts/base.html", "layouts/bell.html"):
        tree = env.parse(env.loader.get_source(env, name)[0])  # type: ignore[union-attr]
        printed = [part for output in tree.find_all(nodes.Output) for part in output.nodes]
        called = [part.node for part in printed if isinstance(part, nodes.Call)]
        asked = [*(choice.test for choice in tree.find_all(nodes.If)), *(choice.test for choice in tree.find_all(nodes.CondExpr))]
        tested = [one for test in asked for one in [test, *test.find_all(nodes.Name)]]
        fine = {id(part) for part in (*printed, *called, *tested)}
        wrong = [use.name for use in tree.find_all(nodes.Name) if use.name in holes and use.ctx == "load" and id(use) not in fine]
        assert not wrong, f"{name} does more with {wrong} than to print it"
