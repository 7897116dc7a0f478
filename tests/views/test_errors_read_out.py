"""What is wrong with a field is read out with the field: its text has an id, by which the field names it."""

import re

from tests.views.test_blocks import NAMES, TEMPLATES


def test_each_error_beside_a_field_can_be_named_by_it() -> None:
    texts = {name: (TEMPLATES / name).read_text() for name in NAMES}
    nameless = [
        name
        for name, text in texts.items()
        if "aria-invalid" in text and re.search(r'<p class="error">', text)
    ]
    assert nameless == []
    named = {name: re.findall(r'<p class="error"\s+id="([^"]+)"', text) for name, text in texts.items()}
    unused = [
        (name, place)
        for name, places in named.items()
        for place in places
        if texts[name].count(place.rpartition("}}")[2]) < 2
    ]
    assert unused == []
