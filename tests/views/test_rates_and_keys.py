"""Keys that leave something out or name networks, how often they may ask, and the requests that are sent twice."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from console import log
from console.activity import sequencing
from console.auth import access, accounts
from console.auth.access import Scopes
from console.auth.accounts import rates
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.infra import settings
from console.infra.db.engine import fetch
from console.views.app import create_app
from tests.company import Company

pytestmark = pytest.mark.lengthy

START = {"workflow": "care-review", "collection": "customer", "record": "1", "input": {"why": "periodic"}}


class Program:
    """A program with this key, that asks from an address."""

    def __init__(self, app: Flask, key: str, address: str = "203.0.113.7") -> None:
        self.client, self.key, self.address = app.test_client(), key, address

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The answer."""
        told = {"Authorization": f"Bearer {self.key}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return self.client.open(
            f"/api/v1{path}",
            method=method,
            headers=told,
            json=body,
            environ_base={"REMOTE_ADDR": self.address},
        )


@pytest.fixture(name="house", scope="module")
def fixture_house(module_company: Company) -> Company:
    """One company for all of them."""
    return module_company


@pytest.fixture(name="web", scope="module")
def fixture_web(house: Company) -> Flask:
    """Its web application."""
    assert house.people
    return create_app()


@pytest.fixture(name="limited")
def fixture_limited(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three requests a minute."""
    monkeypatch.setenv("CONSOLE_RATE_LIMITS", "3/min,1000/h")
    settings.current.cache_clear()
    rates._refused.clear()
    yield
    monkeypatch.undo()
    settings.current.cache_clear()


def key(person: Actor, **more: Any) -> str:
    """A key of the person."""
    return accounts.create_key("tests", person.id, **more).text


# ---------------------------------------------------------------------------------------------------------------- scopes


SCOPED: list[tuple[dict[str, list[str]], str, str, Any, int]] = [
    ({}, "GET", "/collections/customer/records/1", None, 200),
    ({"acts": ["collection.browse", "collection.read"]}, "GET", "/collections/customer/records/1", None, 200),
    ({"acts": ["collection.browse"]}, "GET", "/collections/customer/records/1", None, 404),
    ({"acts": ["workflow.see"]}, "GET", "/collections/customer", None, 404),
    ({"collections": ["account"]}, "GET", "/collections/customer", None, 404),
    ({"collections": ["account"]}, "GET", "/collections/account", None, 200),
    (
        {"acts": ["collection.browse", "collection.read"]},
        "PATCH",
        "/collections/customer/records/1",
        {"values": {"risk": "low"}},
        403,
    ),
    ({"acts": ["workflow.see", "collection.browse", "collection.read"]}, "POST", "/runs", START, 403),
    ({"workflows": ["another"]}, "POST", "/runs", START, 404),
    (
        {"workflows": ["care-review"], "collections": ["customer", "account"]},
        "POST",
        "/runs",
        START | {"record": "4"},
        201,
    ),
]


def test_a_key_opens_what_it_includes_and_no_more(web: Flask, house: Company) -> None:
    for scopes, method, path, body, status in SCOPED:
        program = Program(web, key(house.olivia, scopes=Scopes.of(scopes)))
        answer = program(method, path, body)
        assert answer.status_code == status, (scopes, path, answer.text)
        if status == 403:
            assert answer.get_json()["code"] == "not_in_key"
    listed = Program(web, key(house.olivia, scopes=Scopes.of({"collections": ["account"]})))(
        "GET", "/collections"
    ).get_json()
    assert [one["id"] for one in listed["data"]] == ["account"]


def test_a_key_never_adds_what_its_owner_has_not(web: Flask, house: Company) -> None:
    whole = Scopes.of({"acts": [f"{kind}.{act}" for kind, acts in access.ACTS.items() for act in acts]})
    program = Program(web, key(house.stan, scopes=whole))
    assert program("GET", "/collections/customer").status_code == 404
    assert program("POST", "/runs", START).status_code == 404


def test_one_s_own_key_has_one_s_own_rights_only(house: Company) -> None:
    held = access.acts_of(house.olivia)
    assert "start" in held["workflow"]
    assert "publish" not in held["workflow"]
    assert "activity" not in held
    wrong = [
        (Scopes.of({"acts": ["activity.read"]}), "acts"),
        (Scopes.of({"acts": []}), "acts"),
        (Scopes.of({"collections": ["charge"]}), "collections"),
        (Scopes.of({"workflows": ["nowhere"]}), "workflows"),
    ]
    for scopes, field in wrong:
        with pytest.raises(Invalid) as refused:
            accounts.create_own_key(house.olivia, "Too much", days=30, scopes=scopes)
        assert {detail["field"] for detail in refused.value.details} == {field}
    made = accounts.create_own_key(
        house.olivia, "Just right", days=30, scopes=Scopes.of({"acts": ["workflow.start"]})
    )
    assert accounts.key_of(house.olivia, made.id).scopes.to_json() == {"acts": ["workflow.start"]}


def test_a_key_makes_no_keys(house: Company) -> None:
    actor = accounts.actor_of_key(key(house.olivia))
    assert actor is not None
    with pytest.raises(NotAllowed, match="sign in"):
        accounts.create_own_key(actor, "Another", days=1, scopes=Scopes())


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"networks": ["10.0.0.0/99"]}, "networks"),
        ({"networks": ["example.com"]}, "networks"),
        ({"networks": ["10.0.0.1"] * 21}, "networks"),
        ({"days": 366}, "expires"),
        ({"days": 0}, "expires"),
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
    ],
)
def test_what_no_key_can_be_is_named(house: Company, more: dict[str, Any], field: str) -> None:
    given: dict[str, Any] = {"name": "Feed", "days": 30, "networks": [], **more}
    with pytest.raises(Invalid) as refused:
        accounts.create_own_key(
            house.tom, given["name"], days=given["days"], scopes=Scopes(), networks=given["networks"]
        )
    assert {detail["field"] for detail in refused.value.details} == {field}


def test_a_key_is_used_from_its_networks_only(web: Flask, house: Company) -> None:
    text = key(house.tom, networks=["203.0.113.0/24", "2001:db8::/48", "198.51.100.9"])
    for address, status in (
        *(("203.0.113.7", 200), ("198.51.100.9", 200), ("2001:db8::1", 200), ("::ffff:203.0.113.9", 200)),
        *(("198.51.100.10", 403), ("2001:db9::1", 403), ("127.0.0.1", 403), ("", 403)),
    ):
        answer = Program(web, text, address)("GET", "/me")
        assert answer.status_code == status, address
        assert status == 200 or answer.get_json()["code"] == "wrong_network"
    refused = [
        event for event in log.events_of(f"key_{text.split('_')[1]}") if event.type == "access_refused"
    ]
    assert [event.open["reason"] for event in refused] == ["wrong_network"] * 4


def test_who_sees_and_revokes_keys(web: Flask, house: Company) -> None:
    made = accounts.create_own_key(house.rosa, "Mine", days=1, scopes=Scopes())
    assert accounts.keys_of(house.rosa)[0].id == made.id
    assert made.id in [one.id for one in accounts.every_key(house.ines)]
    for stranger in (house.stan, house.mona):
        with pytest.raises(NotAllowed):
            accounts.every_key(stranger)
        for act in (accounts.key_of, accounts.withdraw_key):
            with pytest.raises(NotFound):
                act(stranger, made.id)
    assert Program(web, made.text)("GET", "/me").status_code == 200
    accounts.withdraw_key(house.ines, made.id)
    assert Program(web, made.text)("GET", "/me").status_code == 401
    assert accounts.key_of(house.rosa, made.id).state == "revoked"
    with pytest.raises(NotFound):
        accounts.withdraw_key(house.rosa, made.id)
    events = [event for event in log.events_of("sys:config", limit=100) if event.open.get("key") == made.id]
    assert [event.type for event in events] == ["key_created", "key_revoked"]
    opened = log.open_values("sys:config", events)
    assert [opened[event.n].values["before"] for event in events] == [None, {"revoked": False}]


# ----------------------------------------------------------------------------------------------------------------- rates


@pytest.mark.usefixtures("limited")
def test_the_limit_is_told_and_kept_for_each_key_alone(web: Flask, house: Company) -> None:
    noisy, quiet = Program(web, key(house.olivia)), Program(web, key(house.olivia))
    told = [noisy("GET", "/me") for _ in range(5)]
    statuses = [answer.status_code for answer in told]
    if statuses != [200, 200, 200, 429, 429]:  # the minute turned in the middle
        told = [noisy("GET", "/me") for _ in range(5)]
    assert [answer.status_code for answer in told][-2:] == [429, 429]
    for answer in told:
        assert answer.headers["X-RateLimit-Limit"] == "3"
        assert int(answer.headers["X-RateLimit-Reset"]) % 60 == 0
    assert told[-1].headers["X-RateLimit-Remaining"] == "0"
    assert 1 <= int(told[-1].headers["Retry-After"]) <= 60
    body = told[-1].get_json()
    assert (body["code"], body["details"]) == ("rate_limited", [])
    assert quiet("GET", "/me").status_code == 200


def test_what_is_refused_does_not_count() -> None:
    counted = []
    for _ in range(4):
        rates._refused.clear()
        try:
            counted.append(rates.count("key_a", (9, 2, 9)).remaining)
        except rates.RateLimited as refused:
            counted.append(-refused.rate.limit)
    assert counted == [1, 0, -2, -2]
    assert fetch("select hour, day from console.api_rate where key = 'key_a'") == [(2, 2)]


def test_every_window_counts_and_begins_anew() -> None:
    windows = [("minute", 60), ("hour", 3600), ("day", 86_400)]
    for at, (name, length) in enumerate(windows):
        limits = [2 if at == place else 99 for place in range(3)]
        told = [rates.count(f"key_{name}", limits).remaining for _ in range(2)]
        with pytest.raises(rates.RateLimited) as refused:
            rates.count(f"key_{name}", limits)
        assert told == [1, 0]
        assert refused.value.rate.reset % length == 0
        fetch(
            f"update console.api_rate set {name}_at = {name}_at - interval '{length} s' where key = %s returning key",
            (f"key_{name}",),
        )
        rates._refused.clear()
        assert rates.count(f"key_{name}", limits).remaining == 1


def test_many_at_once_are_counted_each() -> None:
    def ask() -> None:
        for _ in range(20):
            rates.count("key_many", (500, 500, 500))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fetch("select hour from console.api_rate where key = 'key_many'") == [(80,)]


def test_keys_that_ask_no_more_are_forgotten() -> None:
    rates.count("key_old", (9, 9, 9))
    fetch(
        "update console.api_rate set day_at = day_at - interval '3 days' where key = 'key_old' returning key"
    )
    sequencing.sweep()
    assert fetch("select key from console.api_rate where key = 'key_old'") == []


def test_the_demo_lets_its_own_machine_ask_as_it_likes(
    web: Flask, house: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSOLE_DEMO", "on")
    monkeypatch.delenv("CONSOLE_RATE_LIMITS")
    settings.current.cache_clear()
    text = key(house.olivia)
    assert "X-RateLimit-Limit" not in Program(web, text, "127.0.0.1")("GET", "/me").headers
    assert Program(web, text, "203.0.113.7")("GET", "/me").headers["X-RateLimit-Limit"] == "60"
    monkeypatch.undo()
    settings.current.cache_clear()


@pytest.mark.usefixtures("limited")
def test_keys_that_open_nothing_slow_down_their_address_alone(web: Flask, house: Company) -> None:
    wrong = "cns_" + "0" * 26 + "_" + "0" * 64
    statuses = {Program(web, wrong, "198.51.100.66")("GET", "/me").status_code for _ in range(70)}
    assert statuses == {401, 429}
    assert Program(web, wrong, "198.51.100.67")("GET", "/me").status_code == 401
    assert Program(web, key(house.olivia), "198.51.100.66")("GET", "/me").status_code == 200


def test_a_person_has_at_most_so_many_keys(house: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    from console.auth.accounts import api_keys

    monkeypatch.setattr(
        api_keys, "MOST_KEYS", len([one for one in accounts.keys_of(house.ada) if one.state == "live"]) + 1
    )
    made = accounts.create_key("Last", house.ada.id, lasts=timedelta(days=1))
    with pytest.raises(Conflict, match="Revoke one"):
        accounts.create_key("One more", house.ada.id)
    accounts.withdraw_key(house.ada, made.id)
    assert accounts.create_key("Again", house.ada.id)
