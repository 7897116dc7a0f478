"""The main pages of the demo on a first visit: none weighs more than an ordinary page may. Those of runs: test_every_step.py."""

import re

import pytest

from tests.journeys.conftest import Demo, Visitor
from tests.support.weights import MOST, weight

pytestmark = pytest.mark.slow


def test_no_main_page_weighs_more_than_an_ordinary_page_may(demo: Demo) -> None:
    olivia, ada, ines = (Visitor(demo, name) for name in ("olivia", "ada", "admin"))

    def first(page: str, kind: str) -> str:
        found = re.search(rf'href="({kind}[^"?#]+)"', olivia.get(page).text.partition("<main")[2])
        assert found is not None, f"{page} leads to no {kind}"
        return found[1]

    pages = (
        (
            olivia,
            (
                "/",
                "/more",
                first("/inbox", "/inbox/"),
                "/approvals",
                "/tasks",
                "/c",
                "/c/customer?segment=",
                "/c/charge?segment=",
                "/c/customer/207",
                "/c/customer/207?tab=activity",
                "/workflows",
                "/settings/me",
                "/search?q=anna",
            ),
        ),
        (ada, ("/", "/activity", "/activity/proof")),
        (ines, ("/", "/settings/people", "/settings/sources", "/operations")),
    )
    weights = {page: weight(who.read, page) for who, addresses in pages for page in addresses}
    assert not {page: size for page, size in weights.items() if size > MOST}
    assert min(weights.values()) > 100_000, "each is a page with its files"
