"""Time zones to choose from, as people speak of them."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.views.conftest import Pages


def test_zones_to_choose_from_are_cities(pages: "Pages") -> None:
    for path in ("/settings/me", "/settings/hours"):
        html = pages.ines.get(path).html
        assert re.search(r'<option value="Europe/Vilnius"[^>]*>Vilnius, \d hours ahead of UTC</option>', html), path
        assert ">Europe/Vilnius<" not in html, path
