"""Collections and records over HTTP with a key: shapes, statuses, and who must not get in."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from console import sources
from console.auth import accounts
from console.core.expressions.operands import Spelled
from console.records import connect, exact_json
from console.views.api import spelled
from tests.company import Company
from tests.conftest import web_app
from tests.records.shop import shop_url

__all__ = ["shop_url"]

pytestmark = pytest.mark.lengthy
API = "/api/v1"
FIELD = {"name", "label", "type", "nullable", "options", "readonly", "sensitive", "references"}
CALLS = [
    ("GET", "/collections/customer"),
    ("GET", "/collections/customer/records"),
    ("GET", "/collections/customer/records?count=1&q=a&sort=-id"),
    ("GET", "/collections/customer/records/1"),
    ("PATCH", "/collections/customer/records/1"),
    ("GET", "/collections/nowhere"),
    ("GET", "/collections/nowhere/records"),
    ("GET", "/collections/nowhere/records/1"),
    ("PATCH", "/collections/nowhere/records/1"),
]
Call = Callable[..., TestResponse]


@pytest.fixture(name="web")
def fixture_web(company: Company) -> Flask:
    """The web application over the small company."""
    assert company.people
    return web_app()


@pytest.fixture(name="call")
def fixture_call(web: Flask, company: Company) -> Call:
    """`call(person, path, method="GET", **request)` with a key of this person (None: without)."""
    client: FlaskClient = web.test_client()
    texts: dict[str, str] = {}

    def call(who: str | None, path: str, method: str = "GET", **request: Any) -> TestResponse:
        if who and who not in texts:
            texts[who] = accounts.create_key("tests", company.people[who].id).text
        headers = {"Authorization": f"Bearer {texts[who]}"} if who else {}
        return client.open(API + path, method=method, headers=headers | request.pop("headers", {}), **request)

    return call


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_stranger_gets_not_found_and_nobody_gets_in_without_a_key(
    call: Call, method: str, path: str
) -> None:
    sent = {"json": {"values": {"email": "x"}}} if method == "PATCH" else {}
    answer = call("stan", path, method, **sent)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")
    assert answer.get_json()["message"] == call("stan", "/collections/nowhere").get_json()["message"]
    assert call(None, path, method, **sent).status_code == 401


def test_collections_of_everybody(call: Call) -> None:
    told = call("olivia", "/collections").get_json()
    assert told["next"] is None
    assert told["data"][0] == {
        "id": "customer",
        "label": "Customers",
        "source": "company",
        "kind": "table",
        "key": ["id"],
    }
    assert call("stan", "/collections").get_json() == {"data": [], "next": None}
    assert call(None, "/collections").status_code == 401


def test_one_collection(call: Call) -> None:
    told = call("olivia", "/collections/customer").get_json()
    fields = {item["name"]: item for item in told["fields"]}
    assert all(item.keys() >= FIELD for item in told["fields"])
    assert "tax_id" not in fields
    assert fields["desk"]["options"] == [
        {"value": "retail", "label": "Retail"},
        {"value": "corporate", "label": "Corporate"},
    ]
    assert (fields["id"]["readonly"], fields["email"]["type"], fields["display_name"]["nullable"]) == (
        True,
        "email",
        False,
    )
    assert (
        told["relations"][0].items()
        >= {"name": "account", "collection": "account", "kind": "to_many"}.items()
    )
    assert (told["segments"], told["actions"]) == ([{"id": "unrated", "label": "Unrated"}], [])
    references = {
        item["name"]: item["references"]
        for item in call("olivia", "/collections/account").get_json()["fields"]
    }
    assert references["customer_id"] == "customer"


def test_records_in_pages(call: Call) -> None:
    first = call("tom", "/collections/customer/records?limit=2&count=1").get_json()
    assert (set(first), first["total"]) == ({"data", "next", "total"}, 3)
    assert set(first["data"][0]) == {"collection", "key", "title", "values"}
    assert (first["data"][0]["key"], first["data"][0]["title"]) == ("1", "Adaeze Okonkwo-Bell")
    assert "tax_id" not in first["data"][0]["values"]
    second = call("tom", f"/collections/customer/records?limit=2&after={quote(first['next'])}").get_json()
    assert ([row["key"] for row in second["data"]], second["next"]) == (["4"], None)
    assert "total" not in second


def test_what_narrows_a_list(call: Call) -> None:
    def found(**asked: str) -> list[str]:
        answer = call("mona", "/collections/customer/records", query_string=asked)
        assert answer.status_code == 200, answer.text
        return [row["key"] for row in answer.get_json()["data"]]

    assert found(segment="unrated", sort="-id") == ["4", "3", "1"]
    assert found(filter='{"field": "desk", "op": "eq", "value": "corporate"}') == ["3"]
    assert found(
        filter='{"or": [{"field": "risk", "op": "eq", "value": "low"}, {"field": "balance", "op": "gt", "value": "100.5"}]}'
    ) == [
        "2",
        "3",
    ]
    assert found(filter='{"field": "balance", "op": "gt", "value": 12.25}') == ["1", "3"]
    assert found(q="LINDQVIST") == ["2"]
    assert found(q="\"robert'); drop") == ["4"]
    assert found(after="", segment="", q="", filter="", sort="") == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"filter": "{"}, "filter"),
        ({"filter": "record.risk == 'high'"}, "filter"),
        ({"filter": "not (record.balance > 5)"}, "filter"),
        ({"filter": '{"field": "nope", "op": "eq", "value": 1}'}, "nope"),
        ({"filter": '{"field": "tax_id", "op": "is_null"}'}, "tax_id"),
        ({"filter": '{"field": "risk", "op": "roughly", "value": 1}'}, "risk"),
        ({"filter": '{"field": "risk", "op": "gt", "value": "a"}'}, "risk"),
        ({"filter": '{"field": "id", "op": "eq", "value": "many"}'}, "id"),
        ({"filter": '{"field": "id", "op": "eq", "value": NaN}'}, "id"),
        ({"filter": '{"field": "id", "op": "eq"}'}, "id"),
        ({"filter": '{"and": 5}'}, "and"),
        ({"filter": '{"field": "id", "op": "eq", "value": 1, "like": 2}'}, "like"),
        ({"sort": "nope"}, "nope"),
        ({"sort": "tax_id"}, "tax_id"),
        ({"segment": "nope"}, "segment"),
        ({"after": "tampered"}, "after"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"count": "yes"}, "count"),
    ],
)
def test_what_is_wrong_with_a_list_is_named(call: Call, asked: dict[str, str], named: str) -> None:
    answer = call("olivia", "/collections/customer/records", query_string=asked)
    assert (answer.status_code, answer.get_json()["details"][0]["field"]) == (400, named)


def test_one_record(call: Call) -> None:
    told = call("olivia", "/collections/customer/records/1").get_json()
    assert set(told) == {"collection", "key", "title", "values"}
    assert told["values"].items() >= {"id": 1, "balance": "12.50", "desk": "retail", "risk": None}.items()
    for who, key in (
        ("tom", "3"),
        ("olivia", "99"),
        ("olivia", "01"),
        ("olivia", "%00"),
        ("olivia", "a%2Fb"),
        ("olivia", "~"),
    ):
        assert call(who, f"/collections/customer/records/{key}").status_code == 404


def test_a_change(call: Call, company: Company) -> None:
    sent = {
        "values": {"email": "new@x.example", "balance": "99.90"},
        "expected": {"email": "adaeze@customers.example", "balance": "12.5"},
    }
    answer = call("olivia", "/collections/customer/records/1", "PATCH", json=sent)
    assert answer.status_code == 200
    assert answer.get_json()["values"].items() >= {"email": "new@x.example", "balance": "99.90"}.items()
    again = call("olivia", "/collections/customer/records/1", "PATCH", json=sent)
    told = again.get_json()
    assert (again.status_code, told["code"]) == (409, "record_changed")
    assert {item["field"]: item["theirs"] for item in told["details"]} == {
        "email": "new@x.example",
        "balance": "99.90",
    }
    assert all(item["reason"] for item in told["details"])
    assert company.sql("select email from customer where id = 1") == [("new@x.example",)]


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"desk": "nowhere", "balance": "x", "email": "fine@x.example"}, {"desk", "balance"}),
        ({"display_name": None}, {"display_name"}),
        ({"display_name": "a\x00b"}, {"display_name"}),
        ({"id": 7}, {"id"}),
        ({"tax_id": "X"}, {"tax_id"}),
        ({"nope": 1}, {"nope"}),
        ({"balance": 12.345}, {"balance"}),
        ({"email": "x" * 70}, {"email"}),
    ],
)
def test_values_that_cannot_be_are_422_and_nothing_is_written(
    call: Call, company: Company, values: dict[str, Any], fields: set[str]
) -> None:
    before = company.sql("select * from customer")
    answer = call("olivia", "/collections/customer/records/1", "PATCH", json={"values": values})
    assert answer.status_code == 422, answer.text
    assert {item["field"] for item in answer.get_json()["details"]} == fields
    assert company.sql("select * from customer") == before


@pytest.mark.parametrize(
    "sent", [{}, {"values": 5}, {"values": []}, {"values": {}, "expected": 5}, {"values": {}, "more": 1}]
)
def test_a_change_without_its_parts_is_400(call: Call, sent: dict[str, Any]) -> None:
    assert call("olivia", "/collections/customer/records/1", "PATCH", json=sent).status_code == 400


def test_a_change_needs_json_and_the_right(call: Call) -> None:
    path = "/collections/customer/records/1"
    assert call("olivia", path, "PATCH", data="values").status_code == 415
    assert (
        call("olivia", path, "PATCH", data="{", headers={"Content-Type": "application/json"}).status_code
        == 400
    )
    refused = call("rosa", path, "PATCH", json={"values": {"email": "x@x.example"}})
    assert (refused.status_code, refused.get_json()["code"]) == (403, "not_allowed")
    assert (
        call("tom", "/collections/customer/records/3", "PATCH", json={"values": {"email": "x"}}).status_code
        == 404
    )


def test_every_key_is_one_segment_of_a_path(call: Call, company: Company, shop_url: str) -> None:
    sources.add("shop", shop_url, "admin")
    for collection in ("shop.back.note", "shop.order", "shop.odd", "shop.pair", "shop.customer"):
        rows = call("ines", f"/collections/{collection}/records").get_json()["data"]
        assert rows
        for row in rows:
            assert (
                call("ines", f"/collections/{collection}/records/{quote(row['key'], safe='')}").get_json()
                == row
            )
    for collection in ("shop.keyless", "shop.summary"):
        told = call("ines", f"/collections/{collection}/records?limit=2").get_json()
        assert {row["key"] for row in told["data"]} == {None}
        assert told["next"]
        assert call("ines", f"/collections/{collection}").get_json()["key"] == []
        assert call("ines", f"/collections/{collection}/records/1").status_code == 404
        assert (
            call(
                "ines", f"/collections/{collection}/records/1", "PATCH", json={"values": {"a": 1}}
            ).status_code
            == 404
        )


def test_a_source_that_is_gone_is_503_and_says_so(call: Call, company: Company) -> None:
    company.path.rename(company.path.with_suffix(".away"))
    connect.dispose()
    answer = call("olivia", "/collections/customer/records")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "source_down")
    assert "select" not in answer.text.lower()
    company.path.with_suffix(".away").rename(company.path)
    assert call("olivia", "/collections/customer/records").status_code == 200


def test_a_number_inside_a_field_of_json_is_known_as_one() -> None:
    with web_app().test_request_context(
        "/", data='{"values": {"place": {"n": [1.50, "1.50", 2]}}}', content_type="application/json"
    ):
        (one, two, three) = spelled("values")["place"]["n"]
    assert [type(one), type(two), type(three)] == [Spelled, str, int]
    assert exact_json.numbers([one, two, three]) == [1.5, "1.50", 2]
