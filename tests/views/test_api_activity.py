"""`GET /api/v1/activity-logs` from outside: who may, the answer's shape, filters and pages, and every way to ask wrongly."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from console import log
from console.activity import sequencing
from console.activity.filters import FILTERS
from console.auth import accounts
from console.core.actor import Actor
from console.views.api.activity import Filters
from tests.conftest import Database

AT = "/api/v1/activity-logs"
ROLES = {
    "ada": ("auditor", "Audit"),
    "ines": ("admin", "IT"),
    "olivia": ("operator", "Operations"),
    "stan": ("operator", "Procurement"),
    "mona": ("lead", "Operations"),
}


@pytest.fixture(name="keys")
def fixture_keys(clean: Database) -> dict[str, str]:
    """Short name → key, of people who did twelve things, all of which have their place."""
    keys = {}
    for name, (role, team) in ROLES.items():
        made = accounts.create_person(
            f"{name}@fernwick.example",
            role=role,
            team=team,
            name=name.title(),
            password="a long pass phrase 1",
        )
        keys[name] = accounts.create_key("tests", made.person.id).text
    olivia = accounts.actor_of_key(keys["olivia"])
    assert isinstance(olivia, Actor)
    for number in range(12):
        log.note(
            olivia,
            "signed_in" if number % 3 else "signed_out",
            open={"session": f"ses_{number}"},
            sealed={"ip": "10.0.0.7"} if number % 3 else None,
        )
    sequencing.catch_up()
    return keys


class Caller:
    """One who calls the API with a key, or without."""

    def __init__(self, client: FlaskClient, key: str | None) -> None:
        self.client, self.headers = client, {"Authorization": f"Bearer {key}"} if key else {}

    def __call__(self, query: str = "", method: str = "GET") -> TestResponse:
        return self.client.open(f"{AT}{query and '?'}{query}", method=method, headers=self.headers)

    def page(self, query: str = "") -> dict[str, Any]:
        answer = self(query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.get_json()
        return found


@pytest.fixture(name="ada")
def fixture_ada(client: FlaskClient, keys: Mapping[str, str]) -> Caller:
    return Caller(client, keys["ada"])


def test_who_may_read_the_log(client: FlaskClient, keys: Mapping[str, str]) -> None:
    for name, status in {"ada": 200, "ines": 200, "olivia": 403, "stan": 403, "mona": 403}.items():
        answer = Caller(client, keys[name])()
        assert answer.status_code == status, name
        assert ("data" in answer.get_json()) is (status == 200)
        assert status == 200 or answer.get_json()["code"] == "not_allowed"


def test_refusal_is_in_the_log(client: FlaskClient, keys: Mapping[str, str], ada: Caller) -> None:
    Caller(client, keys["stan"])()
    sequencing.catch_up()
    row = ada.page("kind=access_refused")["data"][0]
    assert (row["actor"]["name"], row["data"]["object"], row["data"]["act"]) == ("Stan", "activity", "read")


def test_without_a_key_nothing_is_answered(client: FlaskClient, keys: Mapping[str, str]) -> None:
    for key in (None, "cns_nonsense", "", keys["ada"][:-1] + "x"):
        assert Caller(client, key)().status_code == 401


def test_ten_rows_without_a_limit_newest_first(ada: Caller) -> None:
    page = ada.page()
    assert set(page) == {"archived", "data", "hasMore", "next"}
    assert len(page["data"]) == 10
    assert page["hasMore"] is True
    assert isinstance(page["next"], str)
    places = [row["pos"] for row in page["data"]]
    assert places == list(range(places[0], places[0] - 10, -1))
    shape = {
        "n",
        "pos",
        "id",
        "kind",
        "createdAt",
        "run",
        "step",
        "attempt",
        "actor",
        "team",
        "collection",
        "record",
        "sentence",
        "data",
        "leaf",
        "masked",
        "address",
    }
    assert all(set(row) == shape for row in page["data"])
    assert page["data"][0]["sentence"] == "Olivia (API key) signed in"
    assert page["data"][0]["data"] == {"session": "ses_11", "ip": "10.0.0.7"}


@pytest.mark.slow
def test_pages_join_while_every_reading_adds_an_event(ada: Caller) -> None:
    for size in (1, 7, 100):
        _walk(ada, size)


def _walk(ada: Caller, size: int) -> None:
    first = ada.page("limit=1")["data"][0]["pos"]
    seen: list[int] = []
    after = ""
    while True:
        page = ada.page(f"limit={size}{after}")
        seen += [row["pos"] for row in page["data"]]
        assert len(page["data"]) == size or not page["hasMore"]
        assert page["hasMore"] is (page["next"] is not None)
        sequencing.catch_up()
        if not page["hasMore"]:
            break
        after = f"&after={page['next']}"
    assert seen == list(range(first, 0, -1))


def test_filters_hold(ada: Caller) -> None:
    whole = ada.page("limit=100")["data"]
    middle = next(row for row in whole if row["data"].get("session") == "ses_6")
    cases: dict[str, Callable[[dict[str, Any]], bool]] = {
        "kind=signed_out": lambda row: row["kind"] == "signed_out",
        "kind=signed_out&kind=signed_in": lambda row: row["kind"] in ("signed_out", "signed_in"),
        f"user={middle['actor']['id']}": lambda row: row["actor"]["id"] == middle["actor"]["id"],
        "team=operations": lambda row: row["team"] == "operations",
        f"createdAt.gt={middle['createdAt']}": lambda row: row["createdAt"] > middle["createdAt"],
        f"createdAt.gte={middle['createdAt']}": lambda row: row["createdAt"] >= middle["createdAt"],
        f"createdAt.lt={middle['createdAt']}": lambda row: row["createdAt"] < middle["createdAt"],
        f"createdAt.lte={middle['createdAt']}": lambda row: row["createdAt"] <= middle["createdAt"],
        "user=Olivia@Fernwick.example": lambda row: row["actor"]["name"] == "Olivia",
        "user=nobody@fernwick.example": lambda row: False,
        "collection=customer": lambda row: row["collection"] == "customer",
    }
    for query, keep in cases.items():
        assert [row["id"] for row in ada.page(f"limit=100&{query}")["data"]] == [
            row["id"] for row in whole if keep(row)
        ], query
    assert ada.page("run=run_nosuch") == {"archived": [], "data": [], "hasMore": False, "next": None}


WRONG = {
    **dict.fromkeys(("limit=0", "limit=101", "limit=x", "limit=1.5", "limit=-1", "limit="), "limit"),
    **dict.fromkeys(("createdAt.gt=yesterdayish", "createdAt.gt=2026-11-20T06:30:00+02:00"), "createdAt.gt"),
    **dict.fromkeys(("after=%00tampered", "after=AAAAAAAAAAAAAAAA", "after="), "after"),
    "nonsense=1": "nonsense",
    "record=%00": "record",
    "kind=SIGNED_IN": "kind",
}


def test_what_cannot_be_read_is_named(ada: Caller) -> None:
    for query, field in WRONG.items():
        answer = ada(query)
        assert answer.status_code == 400, query
        assert [detail["field"] for detail in answer.get_json()["details"]] == [field]


def test_the_api_takes_every_filter_of_the_log() -> None:
    taken = {field.alias or name: name for name, field in Filters.model_fields.items()}
    assert taken == {name: known.moment or name for name, known in FILTERS.items()}
