"""Settings over thousands of collections come page by page: what is not shown is not judged."""

from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from console.permissions import matrix
from console.views.settings import access_matrix, collection_settings

if TYPE_CHECKING:
    from tests.views.conftest import Pages


def test_the_matrix_judges_the_objects_of_its_page_alone(
    pages: "Pages", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_matrix, "LINES", 1)
    with patch.object(matrix, "_cell", wraps=matrix._cell) as judged:
        first = pages.ines.get("/settings/access")
    assert len({call.args[2] for call in judged.call_args_list}) == 1
    assert "1 to 1 of 2" in first.text
    following = next(link for link in first.links if "page=2" in link)
    last = pages.ines.get(following)
    assert "2 to 2 of 2" in last.text
    assert "/settings/access" in last.links
    for strange, words in (
        ("999", "2 to 2 of 2"),
        ("0", "1 to 1 of 2"),
        ("x", "1 to 1 of 2"),
        ("9" * 40, "1 to 1 of 2"),
    ):
        assert words in pages.ines.get(f"/settings/access?page={strange}").text
    assert (
        "page="
        not in pages.ines.get("/settings/access?page=2")
        .html.split('aria-label="Kinds of objects"')[1]
        .split("</nav>")[0]
    )


def test_collections_are_paged_and_found_by_a_part_of_their_name(
    pages: "Pages", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collection_settings, "PAGE_SIZE", 1)
    page = pages.ines.get("/settings/collections")
    shown = [link for link in page.links if link.startswith("/settings/collections/")]
    assert len(shown) == 1
    other = pages.ines.get("/settings/collections?page=2")
    assert "2 to 2 of 2" in other.text
    assert shown[0] not in other.links
    found = pages.ines.get("/settings/collections?q=CCOUN")
    assert [link for link in found.links if link.startswith("/settings/collections/")] == [
        "/settings/collections/account"
    ]
    assert "Nothing here is called that" in pages.ines.get("/settings/collections?q=<b>").text
