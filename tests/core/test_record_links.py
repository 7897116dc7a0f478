"""References in texts of steps: links that say keys until somebody names them."""

import pytest

from console.core import record_links
from console.core.speaking import SPOKEN, Say
from console.steps.filled_text import fill_template

ROOTS = {
    "record": {
        "owner": 7,
        "owners": ["a/b", "x y"],
        "hidden": "••••••",
        "nobody": None,
        "note": "[7](/c/customer/7)",
    },
    SPOKEN: {
        ("record", name): Say({}, references="customer") for name in ("owner", "owners", "hidden", "nobody")
    },
}


@pytest.mark.parametrize("key", ["7", "a/b", "x y", "..", "", "~", "[1](2)", "ä#?&"])
def test_a_link_is_read_back_to_the_record_that_it_was_made_of(key: str) -> None:
    made = record_links.link("customer", key)
    assert record_links.links_in(f"Of {made}.") == {("customer", key)}
    assert (
        record_links.with_names(f"Of {made}.", lambda collection, found: f"{collection} {found}")
        == f"Of customer {key}."
    )


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("{{ record.owner }}", "[7](/c/customer/7)"),
        ("{{ record.owners }}", "[a/b](/c/customer/a~2Fb), [x y](/c/customer/x%20y)"),
        ("{{ record.hidden }}, {{ record.nobody }}", "••••••, "),
        ("{{ record.owner + 1 }}", "8"),
        ("{{ record.note }}", r"\[7\]\(/c/customer/7\)"),
    ],
)
def test_a_reference_that_stands_alone_is_a_link_and_nothing_else_is(template: str, filled: str) -> None:
    assert fill_template(template, ROOTS) == filled


def test_what_leaves_the_console_has_no_links() -> None:
    assert fill_template("Of {{ record.owner }}", ROOTS, links=False) == "Of 7"


def test_a_link_with_words_of_its_own_and_one_that_leads_elsewhere_stay() -> None:
    text = "[See the owner](/c/customer/7) [7](/runs/7) [7](https://pay.example/c/customer/7)"
    assert record_links.links_in(text) == set()
    assert record_links.with_names(text, lambda collection, key: "named") == text
    assert (
        record_links.with_names(record_links.link("customer", "7"), lambda collection, key: None)
        == "[7](/c/customer/7)"
    )
