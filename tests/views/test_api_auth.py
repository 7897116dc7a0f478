"""Keys of the API: who is let in, what they are told, and how bodies and limits are read."""

import re

import pytest
import sqlalchemy as sa
from flask import Flask, jsonify
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue

from console.auth import access, accounts
from console.infra.db import engine as db
from console.views import api
from tests.conftest import Database

GOOD = "seven tall herons wade"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def olivia(clean: Database) -> accounts.Person:
    """An operator of Operations."""
    return accounts.create_person(
        "olivia@fernwick.example", role="operator", team="operations", name="Olivia Vance", password=GOOD
    ).person


@pytest.fixture
def key(olivia: accounts.Person) -> dict[str, str]:
    """The header with a key of hers."""
    return {"Authorization": f"Bearer {accounts.create_key('tests', olivia.id).text}"}


@pytest.fixture
def echo(app: Flask) -> None:
    """Calls that answer what they read."""

    def sent() -> ResponseReturnValue:
        return jsonify(api.body())

    app.add_url_rule("/api/v1/echo", "echo", sent, methods=["POST"])


def test_me_is_the_owner_of_the_key(
    client: FlaskClient, key: dict[str, str], olivia: accounts.Person
) -> None:
    answer = client.get("/api/v1/me", headers=key)
    assert answer.status_code == 200
    assert answer.get_json() == {
        "id": olivia.id,
        "email": olivia.email,
        "name": "Olivia Vance",
        "roles": ["operator"],
        "grants": [{"role": "operator", "team": "operations", "from": ["hand"]}],
        "teams": ["operations"],
        "identities": [],
    }
    assert "Set-Cookie" not in answer.headers


def test_rights_are_those_of_the_moment(
    client: FlaskClient, key: dict[str, str], olivia: accounts.Person
) -> None:
    access.assign(olivia.id, [("buyer", "procurement"), ("operator", "operations")])
    assert client.get("/api/v1/me", headers=key).get_json()["roles"] == ["buyer", "operator"]
    accounts.disable_person(olivia.id)
    assert client.get("/api/v1/me", headers=key).status_code == 401


NO_KEYS = [
    None,
    "",
    "Bearer",
    "Bearer ",
    "Bearer cns_x_y",
    "Basic b2xpdmlhOng=",
    "cns_x",
    "Bearer " + "x" * 9000,
    "Bearer cns_" + "0" * 26 + "_" + "0" * 64,
]


@pytest.mark.usefixtures("olivia")
def test_without_a_good_key_the_answer_is_401_in_json(client: FlaskClient) -> None:
    for header in NO_KEYS:
        answer = client.get("/api/v1/me", headers={} if header is None else {"Authorization": header})
        assert (answer.status_code, answer.mimetype, answer.headers["WWW-Authenticate"]) == (
            401,
            "application/json",
            "Bearer",
        )
        told = answer.get_json()
        assert set(told) == {"code", "message", "details"}
        assert (told["code"], told["details"]) == ("not_signed_in", [])


@pytest.mark.parametrize("change", ["revoked_at = now()", "expires_at = now() - interval '1 second'"])
def test_a_key_that_has_ended_is_401(client: FlaskClient, key: dict[str, str], change: str) -> None:
    assert client.get("/api/v1/me", headers=key).status_code == 200
    with db.hot_engine().connect() as connection:
        connection.execute(sa.text(f"update console.api_key set {change}"))
    assert client.get("/api/v1/me", headers=key).status_code == 401


def test_a_session_opens_nothing_here_and_never_beside_a_key(
    client: FlaskClient, key: dict[str, str]
) -> None:
    form = client.get("/sign-in").text
    (token,) = re.findall(r'name="csrf_token" value="([^"]+)"', form)
    client.post(
        "/sign-in",
        data={"email": "olivia@fernwick.example", "password": GOOD, "csrf_token": token, "next": "/"},
    )
    assert client.get("/api/v1/me").status_code == 401
    both = client.get("/api/v1/me", headers=key)
    assert (both.status_code, both.get_json()["code"]) == (400, "two_credentials")
    assert client.get("/", headers=key).status_code == 400


def test_a_key_opens_no_page(app: Flask, key: dict[str, str]) -> None:
    answer = app.test_client().get("/", headers=key)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in")


BODIES = [
    (b"{}", {}),
    (b"", {}),  # many programs send the header with every call
    (b'{"a": [1, "b", null, true]}', {"a": [1, "b", None, True]}),
    (b'{"amount": 12.50, "n": 3}', {"amount": "12.50", "n": 3}),
    ('{"name": "\u202eZo\u00eb"}'.encode(), {"name": "\u202eZo\u00eb"}),
    (b'{"emoji": "\\ud83d\\ude00"}', {"emoji": "\U0001f600"}),
]


@pytest.mark.usefixtures("echo")
def test_a_body_is_read(client: FlaskClient, key: dict[str, str]) -> None:
    for sent, read in BODIES:
        answer = client.post("/api/v1/echo", data=sent, headers=key | JSON)
        assert (answer.status_code, answer.get_json()) == (200, read)


NO_OBJECTS = [
    b"{",
    b"[]",
    b'"text"',
    b"null",
    b"1",
    b'{"a": NaN}',
    b'{"a": Infinity}',
    b'{"a": -Infinity}',
    b'{"a": "\\ud800"}',
    b'{"\\udfff": 1}',
    b"\xff\xfe",
    b'{"a": "\xff"}',
    b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"a": 1} trailing',
]


@pytest.mark.usefixtures("echo")
def test_what_is_no_json_object_is_400(client: FlaskClient, key: dict[str, str]) -> None:
    for sent in NO_OBJECTS:
        answer = client.post("/api/v1/echo", data=sent, headers=key | JSON)
        assert (answer.status_code, answer.get_json()["code"]) == (400, "malformed")


def test_a_parameter_that_a_call_does_not_know_is_refused_by_every_call(
    app: Flask, client: FlaskClient, olivia: accounts.Person
) -> None:
    calls = [
        (re.sub(r"<int:\w+>", "1", re.sub(r"<\w+>", "x", rule.rule)), method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]
    taken, unnamed = list[str](), list[str]()
    for number, (path, method) in enumerate(calls):
        if number % 50 == 0:  # within the limit of a key
            headers = {"Authorization": f"Bearer {accounts.create_key(f'calls {number}', olivia.id).text}"}
        answer = client.open(
            f"{path}?unheard=1",
            method=method,
            headers=headers | JSON,
            data=b"{}" if method != "GET" else None,
        )
        taken += [f"{method} {path}: {answer.status_code}"] if answer.status_code < 400 else []
        if answer.status_code == 400 and "unheard" not in [
            detail["field"] for detail in answer.get_json()["details"]
        ]:
            unnamed.append(f"{method} {path}: {answer.get_data(as_text=True)}")
    assert (len(calls) > 150, taken, unnamed) == (True, [], [])


OTHER_TYPES = [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]


@pytest.mark.usefixtures("echo")
def test_what_does_not_say_that_it_is_json_is_415(client: FlaskClient, key: dict[str, str]) -> None:
    for kind in OTHER_TYPES:
        answer = client.post(
            "/api/v1/echo", data=b"{}", headers=key | ({"Content-Type": kind} if kind else {})
        )
        assert (answer.status_code, answer.get_json()["code"]) == (415, "not_json")
        assert "application/json" in answer.get_json()["message"]


@pytest.mark.usefixtures("echo")
def test_what_is_too_large_is_413(client: FlaskClient, key: dict[str, str]) -> None:
    answer = client.post("/api/v1/echo", data=b'{"a": "' + b"x" * 3_000_000 + b'"}', headers=key | JSON)
    assert (answer.status_code, answer.get_json()["code"]) == (413, "too_large")


def test_limits(client: FlaskClient, key: dict[str, str]) -> None:
    for told in ("0", "101", "-1", "x", "1.5", "", "1e2", "٣", "00000000000000001", " 5"):
        answer = client.get("/api/v1/runs", query_string={"limit": told}, headers=key)
        assert answer.status_code == 400, told
        assert [detail["field"] for detail in answer.get_json()["details"]] == ["limit"]
    for told in ("1", "100"):
        assert client.get("/api/v1/runs", query_string={"limit": told}, headers=key).status_code == 200
