"""Records by the names that a reader may know them by: titles, what is gone, out of sight or masked; and how texts of a run say values."""

import pytest

from console import activity, browse, records
from console.activity import sequencing
from console.auth import access
from console.formats import Kind, Look, Named, html, text
from console.log.event_lists import LogFilter
from tests.company import Company
from tests.sources.collections.test_collections_said import say

WANTED = [("customer", "1"), ("customer", "3"), ("customer", "99"), ("account", "LT459999900012345678")]


def told(company: Company, who: str) -> dict[tuple[str, str], str]:
    return {
        reference: known.title for reference, known in browse.names_of(company.people[who], WANTED).items()
    }


def test_a_record_is_named_as_its_reader_may_know_it(company: Company) -> None:
    assert told(company, "mona") == {
        ("customer", "1"): "Adaeze Okonkwo-Bell",
        ("customer", "3"): "Halcyon Harbour Trading B.V.",
        ("customer", "99"): "a customer that is gone",
        ("account", "LT459999900012345678"): "LT45 9999 9000 1234 5678",
    }
    seen = told(
        company, "tom"
    )  # of the retail desk alone: what is gone and what is hidden are the same to him
    assert (seen["customer", "1"], seen["customer", "3"], seen["customer", "99"]) == (
        "Adaeze Okonkwo-Bell",
        "a customer you may not see",
        "a customer you may not see",
    )
    assert set(told(company, "stan").values()) == {"a customer you may not see", "an account you may not see"}


def test_a_masked_name_is_dots_and_not_the_key(company: Company) -> None:
    say({"title": "{{ record.tax_id }}"})
    assert browse.names_of(company.tom, [("customer", "1")])["customer", "1"].title == "Customer ••••••"
    assert browse.names_of(company.mona, [("customer", "1")])["customer", "1"].title == "IE123"


def test_names_cost_one_statement_for_each_collection(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    true = records.records_by_key

    def counted(collection: str, keys: object, scope: object, fields: object) -> dict[str, records.Record]:
        asked.append(collection)
        return true(collection, keys, scope, fields)  # type: ignore[arg-type]

    monkeypatch.setattr(records, "records_by_key", counted)
    browse.names_of(company.mona, [("customer", str(key)) for key in range(200)] + [("account", "x")])
    assert asked == ["account", "customer"]


def test_a_reference_is_a_link_and_what_is_absent_is_not() -> None:
    what = Kind("owner", "Owner", "reference", references="customer")
    look = Look(
        records={
            ("customer", "1"): Named("A & B", "/c/customer/1"),
            ("customer", "2"): Named("a customer that is gone", absent=True),
        }
    )
    assert str(html(what, 1, look)) == '<a href="/c/customer/1">A &amp; B</a>'
    assert str(html(what, "2", look)) == '<span class="muted">A customer that is gone</span>'
    assert (text(what, "1", look), text(what, "7", look)) == ("A & B", "7")
    assert str(html(Kind("owners", "Owners", "array", references="customer"), [1, 2], look)).count("<a ") == 1


def test_who_may_read_and_not_browse_is_told_the_names_of_records_that_the_log_speaks_of(
    company: Company,
) -> None:
    company.started("1")
    access.grant("auditor", "collection:customer", ["read"], team="audit")
    about = (("customer", "1"),)
    assert browse.names_of(company.ada, about)["customer", "1"].absent
    assert browse.names_of(company.ada, about, "read")["customer", "1"].title == "Adaeze Okonkwo-Bell"
    sequencing.catch_up()
    said = [row.sentence for row in activity.page(company.ada, LogFilter(), 20).rows]
    assert any("Adaeze Okonkwo-Bell" in sentence for sentence in said)
