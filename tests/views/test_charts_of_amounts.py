"""A chart of amounts whose currency stands beside them: amounts of two currencies never stand in one range."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.views.test_foreign_pointers import connected

if TYPE_CHECKING:
    from tests.views.conftest import Pages

SHOP = """
create table sale (id integer primary key, amount_minor integer not null, currency text, note text);
insert into sale values (1, 1000, 'EUR', null), (2, 5000, 'EUR', null), (3, 9000, 'EUR', null), (4, 500, 'JPY', null), (5, 90000, 'JPY', null),
    (6, 700, null, null);
"""
CHART = "/chart/c/track.sale?of=amount_minor"


def drawn(pages: "Pages", address: str) -> tuple[str, set[str]]:
    """The words of the page, and the records to which its bars lead."""
    page = pages.olivia.get(address)
    led = set()
    for link in page.links:
        if link.startswith("/c/track.sale?") and "filter" in parse_qs(urlsplit(link).query):
            led |= {each.rpartition("/")[2] for each in pages.olivia.get(link).links if each.startswith("/c/track.sale/")}
    return page.text, {each for each in led if each.isdigit()}


@pytest.mark.parametrize(
    ("chosen", "title", "records", "said"),
    [
        ("", "Amount, EUR", {"1", "2", "3"}, "€10.00"),
        ("&currency=XQZ", "Amount, EUR", {"1", "2", "3"}, "€10.00"),
        ("&currency=JPY", "Amount, JPY", {"4", "5"}, "¥0 to ¥10,000"),
        ("&currency=-", "Amount", {"6"}, "7"),
    ],
)
def test_the_chart_of_an_amount_is_that_of_one_currency_and_offers_the_others(
    pages: "Pages", tmp_path: Path, chosen: str, title: str, records: set[str], said: str
) -> None:
    connected(tmp_path, SHOP)
    text, led = drawn(pages, CHART + chosen)
    assert f"Sale: {title}".casefold() in text.casefold()
    assert "together" not in text
    assert led == records
    assert said in text
    offered = {parse_qs(urlsplit(link).query)["currency"][0] for link in pages.olivia.get(CHART + chosen).links if "currency=" in link}
    assert offered == {"EUR", "JPY", "-"}


def test_a_list_of_one_currency_offers_no_other(pages: "Pages", tmp_path: Path) -> None:
    connected(tmp_path, SHOP.replace("'JPY'", "'EUR'").replace("700, null", "700, 'EUR'"))
    page = pages.olivia.get(CHART)
    assert "EUR" in page.text
    assert not [link for link in page.links if "currency=" in link]
