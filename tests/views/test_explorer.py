"""The Explorer: ways along relations, what a choice brings, who sees which column, and how few statements a step takes."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from console.sources import collections
from tests.views.test_right_to_shape import document
from tests.views.test_workspace_pages import statements

if TYPE_CHECKING:
    from tests.views.conftest import Page, Pages

START = "/c/customer/1/explorer"


def way(*steps: Any) -> str:
    return f"{START}?{urlencode({'way': steps}, doseq=True)}"


def chosen(page: "Page") -> int:
    return page.html.partition("data-explorer")[2].count('aria-current="true"')


def test_a_way_is_gone_from_record_to_relation_to_record_and_is_in_the_address(pages: "Pages") -> None:
    page = pages.olivia.get(START)
    assert way("account") in page.links
    page = pages.olivia.get(way("account"))
    assert chosen(page) == 1
    onward = next(link for link in page.links if link.startswith(way("account") + "&way="))
    page = pages.olivia.get(onward)
    assert "LT45 9999 9000 1234 5678" in page.text
    assert chosen(page) == 2
    back = next(link for link in page.links if link.startswith(onward + "&way="))
    assert "Adaeze Okonkwo-Bell" in pages.olivia.get(back).text
    assert START in pages.olivia.get("/c/customer/1").links


def test_a_choice_brings_only_what_stands_after_its_column_in_few_statements(pages: "Pages") -> None:
    with statements() as told:
        part = pages.olivia.get(way("account"), "way-1")
    assert "<html" not in part.html
    assert part.html.count('<section class="way') == 1
    assert len(told) <= 4, told
    onward = next(link for link in part.links if "&way=" in link)
    with statements() as told:
        part = pages.olivia.get(onward, "way-2")
    assert part.html.count('<section class="way of-record"') == 1
    assert len(told) <= 5, told


def test_nobody_goes_where_they_may_not(pages: "Pages") -> None:
    pages.stan.get(START, status=404)
    pages.tom.get("/c/customer/3/explorer", status=404)
    pages.olivia.get(way("account", "no-such-record")).text.index(
        "This record is not there, or outside what you may see."
    )
    for odd in (way("nothing"), way("account", "1", "nothing", "2"), f"{START}?way=%00"):
        pages.olivia.get(odd, status=404)
    pages.olivia.get(way(*["account", "x"] * 40), status=404)


def test_a_relation_may_be_drawn_as_the_tree_of_who_owns_whom(pages: "Pages") -> None:
    company = pages.company
    owner = {
        "each": "related.held",
        "owner": "entry.key",
        "name": "{{ entry.iban }} {{ entry.balance }}",
        "share": "60",
        "person": "true",
    }
    held = {"name": "held", "collection": "account", "kind": "to_many", "via": "customer_id", "label": "Held"}
    tree = {"block": "tree", "title": "Who holds it", "owners": [owner]}
    made = document(company, relations=[held | {"tree": tree}])
    collections.publish(company.ines, "customer", collections.save(company.ines, "customer", 0, made))
    with statements() as told:
        part = pages.olivia.get(way("held"), "way-1")
    assert len(told) <= 4, told
    assert "Who holds it" in part.text
    assert "LT459999900012345679" in part.text
    assert 'class="stakes"' in part.html
    pages.stan.get(way("held"), status=404)
