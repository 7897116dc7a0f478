"""Looking at records and changing them: judged, scoped, noted."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from console import browse, log, records, runs
from console.auth import access
from console.browse import BrowseQuery, record_lists
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, Malformed, NotAllowed, NotFound
from console.infra.db.engine import hot_engine
from console.records import catalogue
from tests.statements import all_sent

if TYPE_CHECKING:
    from tests.company import Company


def noted(actor: Actor) -> list[log.Stored]:
    """What stands on the actor's own chain, without what signing in leaves there."""
    return list(log.events_of(actor.session))


def keys(page: browse.ListPage) -> list[str | None]:
    return [row.key for row in page.rows]


def test_everybody_lists_what_they_may_browse(company: "Company") -> None:
    assert [item.id for item in browse.collections(company.olivia)] == ["customer", "account"]
    assert [item.id for item in browse.collections(company.stan)] == []
    assert [item.id for item in browse.collections(company.rosa)] == ["customer", "account"]


@pytest.mark.parametrize("collection", ["customer", "account", "nowhere", "customer'; --"])
def test_a_stranger_gets_not_found_everywhere(company: "Company", collection: str) -> None:
    stan = company.stan
    calls: list[Callable[[], object]] = [
        lambda: browse.describe(stan, collection),
        lambda: browse.page(stan, collection, BrowseQuery()),
        lambda: browse.record(stan, collection, "1"),
        lambda: browse.related(stan, collection, "1", "account"),
        lambda: browse.change(stan, collection, "1", {"email": "x"}, {}),
    ]
    messages = set()
    for call in calls:
        with pytest.raises(NotFound) as error:
            call()
        messages.add(error.value.message)
    assert len(messages) == 1


def test_the_scope_narrows_lists_records_counts_and_searches(company: "Company") -> None:
    page = browse.page(company.tom, "customer", BrowseQuery(count="exact"))
    assert (keys(page), page.total) == (["1", "2", "4"], 3)
    assert browse.page(company.mona, "customer", BrowseQuery(count="capped")).total == 4
    assert keys(browse.page(company.tom, "customer", BrowseQuery(q="halcyon"))) == []
    with pytest.raises(NotFound):
        browse.record(company.tom, "customer", "3")
    with pytest.raises(NotFound):
        browse.related(company.tom, "customer", "3", "account")
    assert browse.record(company.mona, "customer", "3").record.title == "Halcyon Harbour Trading B.V."


def test_hidden_fields_are_in_no_answer_and_no_question(company: "Company") -> None:
    olivia = company.olivia
    described = browse.describe(olivia, "customer")
    assert "tax_id" not in {item["name"] for item in described["fields"]}
    assert "tax_id" in {item["name"] for item in browse.describe(company.mona, "customer")["fields"]}
    assert not any("tax_id" in row.values for row in browse.page(olivia, "customer", BrowseQuery()).rows)
    assert "tax_id" not in browse.record(olivia, "customer", "1").record.values
    assert keys(browse.page(olivia, "customer", BrowseQuery(q="IE123"))) == []
    for query in (
        BrowseQuery(sort="tax_id"),
        BrowseQuery(filter='{"field": "tax_id", "op": "eq", "value": "IE123"}'),
    ):
        with pytest.raises(Malformed, match="tax_id"):
            browse.page(olivia, "customer", query)
    with pytest.raises(Invalid) as error:
        browse.change(olivia, "customer", "1", {"tax_id": "X"}, {})
    assert error.value.details[0]["field"] == "tax_id"


@pytest.mark.parametrize(
    ("query", "named"),
    [
        (BrowseQuery(filter="{"), "filter"),
        (BrowseQuery(filter='{"field": "nope", "op": "eq", "value": 1}'), "nope"),
        (BrowseQuery(filter='{"field": "risk", "op": "like", "value": 1}'), "risk"),
        (BrowseQuery(sort="nope"), "nope"),
        (BrowseQuery(segment="nope"), "segment"),
        (BrowseQuery(after="tampered"), "after"),
    ],
)
def test_what_is_wrong_with_a_question_is_named(company: "Company", query: BrowseQuery, named: str) -> None:
    with pytest.raises(Malformed) as error:
        browse.page(company.olivia, "customer", query)
    assert error.value.details[0]["field"] == named


@pytest.mark.parametrize(
    ("collection", "q"),
    [
        ("account", "customer.display_name:halcyon"),
        ("account", "customer:halcyon"),
        ("account", "customer.tax_id:IE123"),
        ("customer", "tax_id:IE123"),
    ],
)
def test_a_search_tells_nothing_of_records_and_fields_out_of_reach(
    company: "Company", collection: str, q: str
) -> None:
    """Tom sees no customer of the other desk and nobody's tax number; their accounts he may see all the same."""
    everything = keys(browse.page(company.tom, collection, BrowseQuery()))
    assert keys(browse.page(company.tom, collection, BrowseQuery(q=q))) == []
    assert keys(browse.page(company.tom, collection, BrowseQuery(q=f"-({q})"))) == everything
    assert browse.page(company.tom, collection, BrowseQuery(q=q, count="exact", extended=True)).total == 0


def test_an_extended_search_looks_at_what_a_record_refers_to(company: "Company") -> None:
    assert keys(browse.page(company.mona, "account", BrowseQuery(q="halcyon"))) == []
    assert keys(browse.page(company.mona, "account", BrowseQuery(q="halcyon", extended=True))) == [
        "NL559999900012345670"
    ]
    assert keys(browse.page(company.tom, "account", BrowseQuery(q="halcyon", extended=True))) == []


def test_a_segment_has_its_own_order_until_the_reader_sorts_and_for_who_may_not_read_that_column_the_list_s(
    company: "Company",
) -> None:
    customer = records.collection("customer")
    [unrated] = [item for item in customer.segments if item.id == "unrated"]
    scope = access.scope_for(company.tom, "customer", "browse")
    for sort, asked, found in (
        ("-id", None, ["4", "1"]),
        ("-id", "id", ["1", "4"]),
        ("gone", None, ["1", "4"]),
        (None, None, ["1", "4"]),
    ):
        ordered = replace(customer, segments=(replace(unrated, sort=sort),))
        page = record_lists.page_within(
            company.tom, ordered, scope, BrowseQuery(segment="unrated", sort=asked)
        )
        assert (keys(page), page.sort) == (found, asked or (sort if sort == "-id" else "")), sort
    first = record_lists.page_within(
        company.tom,
        (by_id := replace(customer, segments=(replace(unrated, sort="-id"),))),
        scope,
        BrowseQuery("unrated", limit=1),
    )
    second = record_lists.page_within(
        company.tom, by_id, scope, BrowseQuery("unrated", limit=1, after=first.next)
    )
    assert (keys(first), keys(second)) == (["4"], ["1"])
    masked = replace(scope, hidden=scope.hidden | {"id"})
    assert record_lists.page_within(company.tom, by_id, masked, BrowseQuery("unrated")).sort == ""


def test_paging_and_columns(company: "Company") -> None:
    first = browse.page(
        company.tom, "customer", BrowseQuery(limit=2, fields=("risk", "email", "tax_id", "risk"))
    )
    assert [item.name for item in first.columns] == ["risk", "email"]
    assert list(first.rows[0].values) == ["email", "risk"]
    second = browse.page(company.tom, "customer", BrowseQuery(limit=2, after=first.next))
    assert (keys(second), second.next) == (["4"], None)
    assert keys(browse.page(company.tom, "customer", BrowseQuery(limit=2, before=second.previous))) == [
        "1",
        "2",
    ]


def test_columns_that_refer_say_to_whom_within_the_reader_s_scope(company: "Company") -> None:
    def named(page: browse.ListPage | browse.RecordPage) -> dict[str, str]:
        return {
            key: each.title
            for (collection, key), each in page.named.items()
            if collection == "customer" and not each.absent
        }

    query = BrowseQuery(labels=True)
    assert named(browse.page(company.mona, "account", query)) == {
        "1": "Adaeze Okonkwo-Bell",
        "3": "Halcyon Harbour Trading B.V.",
    }
    assert named(browse.page(company.tom, "account", query)) == {"1": "Adaeze Okonkwo-Bell"}
    page = browse.record(company.mona, "account", "LT459999900012345678", labels=True)
    assert named(page) == {"1": "Adaeze Okonkwo-Bell"}
    assert [relation.name for relation in page.relations] == ["customer"]


def test_who_may_only_look_sees_read_only_fields(company: "Company") -> None:
    assert {item["readonly"] for item in browse.describe(company.rosa, "customer")["fields"]} == {True}
    assert not browse.record(company.rosa, "customer", "1").may_update
    assert browse.record(company.olivia, "customer", "1").may_update
    with pytest.raises(NotAllowed) as error:
        browse.change(company.rosa, "customer", "1", {"email": "new@x.example"}, {})
    assert error.value.need == ("collection:customer", "update")


def test_a_change_is_judged_for_the_record_and_the_field(company: "Company") -> None:
    access.grant("reviewer", "collection:customer", ["update"], "record.risk == 'low'", team="operations")
    rosa = company.rosa
    with pytest.raises(NotAllowed, match="not change it"):
        browse.change(rosa, "customer", "1", {"email": "new@x.example"}, {})
    assert (
        browse.change(rosa, "customer", "2", {"email": "new@x.example"}, {}).values["email"]
        == "new@x.example"
    )


def test_a_change_compares_what_was_expected(company: "Company") -> None:
    olivia = company.olivia
    company.sql("update customer set email = 'theirs@x.example', risk = 'high' where id = 1")
    with pytest.raises(Conflict) as error:
        browse.change(
            olivia, "customer", "1", {"email": "mine@x.example"}, {"email": "adaeze@customers.example"}
        )
    assert [(item["field"], item["theirs"]) for item in error.value.details] == [
        ("email", "theirs@x.example")
    ]
    with pytest.raises(Conflict) as error:
        browse.change(olivia, "customer", "1", {"email": "mine@x.example"}, {"risk": None})
    assert error.value.details[0]["field"] == "risk"
    with pytest.raises(Invalid):
        browse.change(olivia, "customer", "1", {"email": "mine@x.example"}, {"nope": 1})
    assert company.sql("select email from customer where id = 1") == [("theirs@x.example",)]
    changed = browse.change(
        olivia, "customer", "1", {"email": "mine@x.example", "balance": "1.5"}, {"email": "theirs@x.example"}
    )
    assert (changed.values["email"], changed.values["balance"]) == ("mine@x.example", "1.50")


def test_every_look_is_an_event_with_what_was_asked_sealed(company: "Company") -> None:
    olivia = company.olivia
    before = len(noted(olivia))
    filter_ = '{"field": "risk", "op": "eq", "value": "low"}'
    browse.page(olivia, "customer", BrowseQuery(filter=filter_, q="tore", sort="-id", segment=None))
    browse.record(olivia, "customer", "1")
    browse.related(olivia, "customer", "1", "account")
    listed, viewed, related = noted(olivia)[before:]
    assert (listed.type, listed.body["data"]["open"]) == (
        "record_listed",
        {"count": 1, "sort": "-id", "more": False, "has_filter": True},
    )
    assert listed.values == {"filter": filter_, "q": "tore"}
    assert "tore" not in str(listed.body)
    assert (viewed.type, viewed.body["target"]) == (
        "record_viewed",
        {"source": "company", "coll": "customer", "key": "1"},
    )
    assert (related.type, related.body["data"]["open"]) == ("record_viewed", {"relation": "account"})


def test_a_change_is_an_event_with_its_values_under_the_key_of_the_person(company: "Company") -> None:
    olivia = company.olivia
    before = len(noted(olivia))
    browse.change(olivia, "customer", "1", {"email": "new@x.example", "desk": "retail"}, {})
    browse.change(olivia, "customer", "1", {"email": "new@x.example"}, {})  # nothing moves: no event
    (changed,) = noted(olivia)[before:]
    assert (changed.type, changed.body["data"]["open"]) == (
        "record_changed",
        {"fields": ["email"], "result": "succeeded"},
    )
    called = {"title": "Adaeze Okonkwo-Bell", "titled": {"display_name": "Adaeze Okonkwo-Bell"}}
    assert (
        changed.values
        == {"old": {"email": "adaeze@customers.example"}, "new": {"email": "new@x.example"}} | called
    )
    with hot_engine().connect() as connection:
        whose = connection.execute(
            sa.text(
                "select s.collection, s.record from console.event_value v join console.subject s on s.id = v.sub where v.event = :id"
            ),
            {"id": changed.pos or _event(changed)},
        )
        assert [tuple(row) for row in whose] == [("customer", "1")]


def _event(stored: log.Stored) -> int:
    with hot_engine().connect() as connection:
        return int(
            connection.execute(
                sa.text("select id from console.event where leaf = :leaf"), {"leaf": stored.leaf}
            ).scalar_one()
        )


def test_the_subject_is_found_along_the_relation(company: "Company") -> None:
    assert records.subject("account", "LT459999900012345678") == ("customer", "1")
    assert records.subject("customer", "4") == ("customer", "4")
    first = browse.subject_of(records.collection("account"), "LT459999900012345678")
    assert first == browse.subject_of(records.collection("customer"), "1") is not None


def test_a_list_is_a_fixed_number_of_statements(company: "Company") -> None:
    with all_sent(catalogue.engine_of(records.collection("customer"))) as seen:
        for limit in (1, 2, 50):
            found = browse.page(company.olivia, "customer", BrowseQuery(limit=limit))
            seen.clear()
            browse.page(company.olivia, "customer", BrowseQuery(limit=limit))
            runs.live_on(company.olivia, "customer", [str(row.key) for row in found.rows])
            told = [
                sql for sql in seen if "console.version" not in sql and "console.workflow" not in sql
            ]  # those once a second
            assert [sql.split()[0].lower() for sql in told] == ["select"] * 3, told
            assert sum("console." not in sql for sql in told) == 1, told
