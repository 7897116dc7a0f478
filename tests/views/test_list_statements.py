"""How many statements a page of a list takes: a number that its rows do not change."""

from typing import TYPE_CHECKING

from console import records
from console.auth import access
from console.browse import list_views
from console.browse.list_views import ListView
from console.records import catalogue
from tests.statements import all_sent

if TYPE_CHECKING:
    from tests.views.conftest import Pages

ONCE_A_SECOND = (
    "console.version",
    "console.workflow",
    "console.action",
    "console.inbox",
    "console.channel",
    "console.collection",
)
"""What all requests of a process share: whether definitions and rights are still the same."""


def test_a_page_of_a_list_is_five_statements_whatever_its_rows(pages: "Pages") -> None:
    address = "/c/customer?segment=&sort=id&columns=display_name&columns=desk"
    counts = []
    with all_sent(catalogue.engine_of(records.collection("customer"))) as seen:
        for path in (f"{address}&q=Ada", address):
            for _ in range(3):  # the first of a process reads what all share
                seen.clear()
                pages.olivia.get(path)
            told = [sql for sql in seen if not any(name in sql for name in ONCE_A_SECOND)]
            counts.append(len(told))
            parts = ("console.session s", "console.list_view", "console.transition", "console.run r")
            assert [sum(part in sql for sql in told) for part in parts] == [1, 1, 1, 1], told
            assert sum("console." not in sql for sql in told) == 1, told
    assert counts == [5, 5]


def test_what_is_kept_of_a_list_and_may_be_done_there_is_that_of_now(pages: "Pages") -> None:
    address = "/c/customer?segment="

    def shown() -> int:
        return len(pages.olivia.get(address).with_attribute("data-record"))

    everything = shown()
    list_views.keep(pages.company.olivia, "customer", ListView(roomy=True))
    assert "roomy" in pages.olivia.get(address).html
    list_views.forget(pages.company.olivia, "customer")
    assert shown() == everything
    olivia = pages.company.olivia
    access.assign(olivia.id, [])
    pages.olivia.get(address, status=404)
    access.assign(olivia.id, sorted(olivia.roles))
    assert shown() == everything
