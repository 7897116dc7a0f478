"""Errors as responses: a page, a fragment, or JSON; what is noted of them, and what nobody is shown."""

import logging
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask, abort
from flask.testing import FlaskClient

from console import log
from console.auth import accounts
from console.core.errors import (
    Conflict,
    ConsoleError,
    DefinitionError,
    Invalid,
    Malformed,
    NotAllowed,
    NotFound,
    SourceDown,
    TooMany,
)
from console.demo import staff
from console.infra.db import engine as db

GOOD = "seven tall herons wade"
SECRET = "select password_hash from console.person"

CASES: dict[str, Callable[[], Exception]] = {
    "malformed": lambda: Malformed(
        "That filter is not JSON.", details=[{"field": "filter", "reason": "is not JSON"}]
    ),
    "not-allowed": lambda: NotAllowed(
        "Needs activity.read. An admin can grant it.",
        need=("activity", "read"),
        words="You may not read the activity log. An admin can grant it.",
    ),
    "absent": NotFound,
    "hidden": lambda: NotFound(hidden=True),
    "conflict": lambda: Conflict("A run is live.", code="run_is_live", run_id="run_1"),
    "invalid": lambda: Invalid(
        "Two things.",
        details=[
            {"field": "email", "reason": "takes an address"},
            {"field": "<b>x</b>", "reason": "<i>no</i>"},
        ],
    ),
    "too-many": lambda: TooMany("Slower.", retry_after=7),
    "down": lambda: SourceDown("The data source erp does not answer."),
    "definition": lambda: DefinitionError(
        "A step is missing.", details=[{"step": "load", "field": "next", "reason": "leads nowhere"}]
    ),
    "surprise": lambda: ValueError(SECRET),
    "lost": lambda: sa.exc.OperationalError(SECRET, {}, Exception("server closed the connection")),
    "lost-below": lambda: psycopg.OperationalError("server closed the connection: " + SECRET),
    "broken-sql": lambda: sa.exc.ProgrammingError(SECRET, {}, Exception("syntax error")),
}


@pytest.fixture
def raising(app: Flask) -> None:
    """Routes that raise each of the errors, as page and as call."""

    def boom(case: str, **_: str) -> str:
        error = CASES[case]()
        raise error

    for rule in (
        "/boom/<case>",
        "/api/v1/boom/<case>",
        "/api/v1/boom/<case>/<collection>/<key>",
        "/boom/<case>/runs/<run_id>",
    ):
        app.add_url_rule(rule, rule, boom, methods=["GET", "POST"])
    app.add_url_rule("/api/v1/teapot", "teapot", lambda: abort(418))


@pytest.fixture
def stan(app: Flask) -> accounts.Person:
    """A buyer of Procurement."""
    staff.give_rights()
    return accounts.create_person(
        "stan@fernwick.example", role="buyer", team="procurement", name="Stan", password=GOOD
    ).person


@pytest.fixture
def key(stan: accounts.Person) -> accounts.CreatedKey:
    """A key of his."""
    return accounts.create_key("tests", stan.id)


@pytest.fixture
def bearer(key: accounts.CreatedKey) -> dict[str, str]:
    """The header with it."""
    return {"Authorization": f"Bearer {key.text}"}


@pytest.fixture
def browser(app: Flask, stan: accounts.Person) -> FlaskClient:
    """His browser, signed in."""
    made = app.test_client()
    token = accounts.sign_in(stan.email, GOOD, "127.0.0.1", "test")
    with made.session_transaction() as session:
        session["_user_id"] = token
    return made


def refusals() -> list[dict[str, Any]]:
    """Open values of the refusals in the log."""
    with db.hot_engine().connect() as connection:
        chains = connection.execute(sa.text("select distinct run from console.event")).scalars().all()
    found = [event for chain in chains for event in log.events_of(chain) if event.type == "access_refused"]
    return [
        event.body["data"]["open"]
        | {"target": event.body["target"], "path": event.values["path"], "actor": event.body["actor"]["id"]}
        for event in found
    ]


IN_JSON: list[tuple[str, int, str, dict[str, Any]]] = [
    ("malformed", 400, "malformed", {}),
    (
        "not-allowed",
        403,
        "not_allowed",
        {"need": {"object": "activity", "act": "read"}, "rule": "No rule allows it for Buyer.", "who": []},
    ),
    ("absent", 404, "not_found", {}),
    ("hidden", 404, "not_found", {}),
    ("conflict", 409, "run_is_live", {"run_id": "run_1"}),
    ("invalid", 422, "invalid", {}),
    ("too-many", 429, "too_many", {"retry_after": 7}),
    ("down", 503, "source_down", {}),
    ("definition", 422, "definition", {}),
]


@pytest.mark.usefixtures("raising")
def test_errors_in_json(client: FlaskClient, bearer: dict[str, str]) -> None:
    for case, status, code, more in IN_JSON:
        error = CASES[case]()
        assert isinstance(error, ConsoleError)
        answer = client.get(f"/api/v1/boom/{case}", headers=bearer)
        assert (answer.status_code, answer.mimetype) == (status, "application/json")
        assert answer.get_json() == {"code": code, "message": error.message, "details": error.details} | more
        assert answer.headers.get("Retry-After") == ("7" if case == "too-many" else None)


@pytest.mark.usefixtures("raising")
def test_what_failed_with_its_database_says_that_nothing_was_changed(
    client: FlaskClient, bearer: dict[str, str]
) -> None:
    down = client.post("/api/v1/boom/down", headers=bearer)
    assert (down.headers["X-Outcome"], down.get_json()["outcome"]) == ("nothing", "nothing")
    assert down.get_json()["message"].endswith("Nothing was changed.")
    assert "X-Outcome" not in client.post("/api/v1/boom/conflict", headers=bearer).headers, (
        "a refusal says so itself"
    )


@pytest.mark.slow
@pytest.mark.usefixtures("raising")
@pytest.mark.parametrize("case", ["surprise", "broken-sql", "lost", "lost-below"])
def test_nobody_is_shown_sql_or_a_trace(
    client: FlaskClient,
    browser: FlaskClient,
    bearer: dict[str, str],
    case: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        call = client.get(f"/api/v1/boom/{case}", headers=bearer)
        page = browser.get(f"/boom/{case}")
    lost = case.startswith("lost")
    assert call.status_code == page.status_code == (503 if lost else 500)
    assert call.get_json()["code"] == ("store_down" if lost else "internal_error")
    for answer in (call, page):
        assert SECRET not in answer.text
        assert "Traceback" not in answer.text
        number = answer.headers["X-Request-Id"]
        assert number in answer.text
        assert number in caplog.text
    assert call.headers.get("Retry-After") == ("1" if lost else None)
    assert (
        SECRET in caplog.text
    ) is not lost  # written down where the operators of the machine look, unless it was only the connection


OF_THE_PROTOCOL = [
    ("/api/v1/nothing-here", "GET", 404, "not_found"),
    ("/api/v2/me", "GET", 404, "not_found"),
    ("/api/", "GET", 404, "not_found"),
    ("/api", "GET", 404, "not_found"),
    ("/api/v1/me", "POST", 405, "method_not_allowed"),
    ("/api/v1/me", "DELETE", 405, "method_not_allowed"),
    ("/api/v1/teapot", "GET", 418, "malformed"),
]


@pytest.mark.usefixtures("raising")
def test_errors_of_the_protocol_in_json(client: FlaskClient, bearer: dict[str, str]) -> None:
    for path, method, status, code in OF_THE_PROTOCOL:
        for headers in (bearer, {}) if status in (404, 405) else (bearer,):
            answer = client.open(path, method=method, headers=headers)
            assert (answer.status_code, answer.mimetype) == (status, "application/json")
            assert answer.get_json()["code"] == code
            assert answer.get_json()["details"] == []
        assert ("GET" in answer.headers.get("Allow", "")) is (status == 405)


@pytest.mark.usefixtures("raising")
def test_pages_say_it_to_people(browser: FlaskClient) -> None:
    for case, status, words in (
        ("not-allowed", 403, "You may not read the activity log."),
        ("absent", 404, "There is nothing here, or it is outside what you may see."),
        ("invalid", 422, "takes an address"),
        ("conflict", 409, "A run is live."),
        ("too-many", 429, "Slower."),
    ):
        answer = browser.get(f"/boom/{case}")
        assert (answer.status_code, answer.mimetype) == (status, "text/html")
        assert words in answer.text
        assert "<html" in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
    assert browser.get("/no/such/page").status_code == 404
    assert (
        browser.open("/sign-in", method="DELETE", headers={"Sec-Fetch-Site": "same-origin"}).status_code
        == 405
    )


@pytest.mark.usefixtures("raising")
def test_htmx_gets_a_fragment(browser: FlaskClient) -> None:
    answer = browser.get("/boom/invalid", headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert "<html" not in answer.text
    assert "takes an address" in answer.text


@pytest.mark.usefixtures("raising")
def test_what_an_error_quotes_is_shown_as_text(browser: FlaskClient) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        told = browser.get("/boom/invalid", headers=headers).text
        assert "<i>no</i>" not in told
        assert "&lt;i&gt;no&lt;/i&gt;" in told


@pytest.mark.usefixtures("raising")
def test_hidden_and_absent_are_answered_alike(
    client: FlaskClient, browser: FlaskClient, bearer: dict[str, str]
) -> None:
    assert (
        client.get("/api/v1/boom/hidden", headers=bearer).get_data()
        == client.get("/api/v1/boom/absent", headers=bearer).get_data()
    )
    hidden, absent = browser.get("/boom/hidden"), browser.get("/boom/absent")
    assert hidden.text.replace(hidden.headers["X-Request-Id"], "") == absent.text.replace(
        absent.headers["X-Request-Id"], ""
    )


@pytest.mark.usefixtures("raising")
def test_refusals_are_events(
    client: FlaskClient, browser: FlaskClient, bearer: dict[str, str], stan: accounts.Person
) -> None:
    client.get("/api/v1/boom/not-allowed/customer/17", headers=bearer)
    browser.get("/boom/hidden/runs/run_9")
    for case in ("absent", "malformed", "conflict", "invalid"):
        client.get(f"/api/v1/boom/{case}", headers=bearer)
    client.get("/api/v1/nothing-here", headers=bearer)
    told = sorted(refusals(), key=lambda one: str(one["path"]))
    assert [(one["path"], one["reason"], one["status"], one["method"], one["actor"]) for one in told] == [
        ("/api/v1/boom/not-allowed/customer/17", "not_allowed", 403, "GET", stan.id),
        ("/boom/hidden/runs/run_9", "not_found", 404, "GET", stan.id),
    ]
    assert (told[0]["object"], told[0]["act"], told[0]["target"]["coll"]) == ("activity", "read", "customer")
    assert told[1]["run"] == "run_9"


@pytest.mark.usefixtures("raising")
def test_a_form_from_elsewhere_is_a_refusal_of_who_is_signed_in(
    browser: FlaskClient, stan: accounts.Person
) -> None:
    assert browser.post("/boom/absent", headers={"Origin": "https://evil.example"}).status_code == 403
    (told,) = refusals()
    assert (told["reason"], told["actor"], told["method"]) == ("foreign_form", stan.id, "POST")
    assert (
        browser.application.test_client()
        .post("/boom/absent", headers={"Origin": "https://evil.example"})
        .status_code
        == 403
    )
    assert len(refusals()) == 1


@pytest.mark.usefixtures("raising")
def test_a_refusal_stands_where_it_cannot_be_noted(
    client: FlaskClient,
    bearer: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(log, "note", full)
    with caplog.at_level(logging.ERROR):
        assert client.get("/api/v1/boom/not-allowed", headers=bearer).status_code == 403
    assert "alarm: a refusal could not be noted" in caplog.text


@pytest.mark.usefixtures("raising")
def test_the_note_of_a_refusal_does_not_use_up_the_callers_key(
    app: Flask, client: FlaskClient, bearer: dict[str, str]
) -> None:
    @app.before_request
    def keyed() -> None:
        log.IDEMPOTENCY.set("key of the caller")

    for _ in range(2):
        assert client.get("/api/v1/boom/not-allowed", headers=bearer).status_code == 403
    assert len(refusals()) == 2
    log.IDEMPOTENCY.set(None)


@pytest.mark.usefixtures("raising")
def test_an_error_is_told_even_where_its_page_cannot_be_drawn(app: Flask, browser: FlaskClient) -> None:
    @app.context_processor
    def broken() -> dict[str, Any]:
        raise ValueError(SECRET)

    answer = browser.get("/boom/not-allowed")
    assert answer.status_code == 403
    assert "You may not read the activity log." in answer.text
    assert SECRET not in answer.text
