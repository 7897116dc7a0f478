"""Signing in to the pages and out again, as a browser does it."""

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from console import log
from console.auth import accounts
from console.auth.accounts import signing_in
from console.infra.db import engine as db
from tests.conftest import Database

GOOD = "seven tall herons wade"
OLIVIA = "olivia@fernwick.example"


class Form(HTMLParser):
    """The forms of a page: method, action, and the names and values of the inputs of all of them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[dict[str, str | None]] = []
        self.inputs: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "form":
            self.forms.append(told)
        if tag == "input" and told.get("name"):
            self.inputs[str(told["name"])] = told.get("value") or ""


@pytest.fixture
def olivia(clean: Database) -> accounts.Person:
    """An operator who signs in with GOOD."""
    return accounts.create_person(
        OLIVIA, role="operator", team="operations", name="Olivia", password=GOOD
    ).person


@pytest.fixture
def closed(app: Flask) -> None:
    """A page behind the door, which says who came in."""
    from flask import g

    app.add_url_rule("/probe", "probe", lambda: g.actor.email, methods=["GET", "POST"])


def sign_in(
    client: FlaskClient, email: str = OLIVIA, password: str = GOOD, to: str = "", **more: Any
) -> TestResponse:
    """GET the form, fill it in, send it."""
    told = Form(client.get("/sign-in" + (f"?next={quote(to)}" if to else ""), **more).text).inputs
    return client.post("/sign-in", data=told | {"email": email, "password": password}, **more)


def test_the_page_holds_one_form(client: FlaskClient) -> None:
    answer = client.get("/sign-in?next=/c/customer%3Fq%3Da")
    form = Form(answer.text)
    assert answer.status_code == 200
    assert [told["method"] for told in form.forms] == ["post"]
    assert set(form.inputs) == {"email", "password", "csrf_token", "next"}
    assert form.inputs["next"] == "/c/customer?q=a"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("olivia", "closed")
def test_who_signs_in_is_let_in_and_led_on(client: FlaskClient) -> None:
    answer = sign_in(client, " Olivia@Fernwick.example ", to="/probe?page=2")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/probe?page=2")
    assert client.get("/probe").text == OLIVIA
    again = client.get("/sign-in?next=/probe")
    assert (again.status_code, again.headers["Location"]) == (303, "/probe")


ELSEWHERE = [
    "//evil.example/",
    "https://evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/\n",
    "evil",
    "",
]


@pytest.mark.usefixtures("olivia")
def test_a_link_never_leads_elsewhere(app: Flask) -> None:
    for to in ELSEWHERE:
        browser = app.test_client()
        shown = Form(browser.get(f"/sign-in?next={quote(to)}").text).inputs
        assert shown["next"] == "/", to
        told = {"email": OLIVIA, "password": GOOD, "csrf_token": shown["csrf_token"], "next": to}
        answer = browser.post("/sign-in", data=told, headers={"Origin": "http://localhost"})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/"), to


@pytest.mark.usefixtures("closed")
def test_every_refusal_says_the_same(client: FlaskClient, olivia: accounts.Person) -> None:
    other = accounts.create_person(
        "tom@fernwick.example", role="operator", team="operations", password=GOOD
    ).person
    accounts.disable_person(other.id)
    told = set()
    for email, password in (
        (OLIVIA, "wrong"),
        ("nobody@fernwick.example", GOOD),
        (other.email, GOOD),
        ("no address", GOOD),
        (OLIVIA, ""),
        (OLIVIA, "x" * 3000),
    ):
        answer = sign_in(client, email, password)
        form = Form(answer.text)
        assert answer.status_code == 422
        assert form.inputs["email"] == email
        assert form.inputs["password"] == ""
        assert "Set-Cookie" not in answer.headers or "_user_id" not in answer.headers["Set-Cookie"]
        told.update(re.findall(r'role="alert".*?</div>\s*</div>', answer.text, re.DOTALL))
    assert len(told) == 1
    for _ in range(signing_in.PER_PAIR + 2):
        answer = sign_in(client, OLIVIA, "wrong")
    assert told == set(re.findall(r'role="alert".*?</div>\s*</div>', answer.text, re.DOTALL))
    with db.hot_engine().connect() as connection:
        connection.execute(
            sa.text("update console.throttle set until = now() + interval '5 minutes' where count > :free"),
            {"free": signing_in.PER_PAIR},
        )
    assert sign_in(client).status_code == 422  # too many attempts look the same too
    assert client.get("/probe").status_code == 303


@pytest.mark.usefixtures("olivia")
def test_what_was_typed_is_shown_as_text(client: FlaskClient) -> None:
    answer = sign_in(client, '"><script>alert(1)</script>', "wrong")
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text


@pytest.mark.usefixtures("olivia", "closed")
def test_the_form_needs_its_token_and_this_origin(client: FlaskClient) -> None:
    told = Form(client.get("/sign-in").text).inputs | {"email": OLIVIA, "password": GOOD}
    assert client.post("/sign-in", data=told | {"csrf_token": "other"}).status_code == 403
    assert client.post("/sign-in", data=told, headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post("/sign-in", data=told, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get("/probe").status_code == 303


@pytest.mark.usefixtures("olivia", "closed")
def test_a_copied_cookie_is_worth_nothing_after_signing_out(client: FlaskClient) -> None:
    sign_in(client)
    cookie = client.get_cookie("console")
    assert cookie is not None
    thief = client.application.test_client()
    thief.set_cookie("console", cookie.value)
    assert thief.get("/probe").text == OLIVIA
    token = Form(client.get("/sign-in").text).inputs.get("csrf_token") or _token(client)
    answer = client.post("/sign-out", data={"csrf_token": token})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert client.get("/probe").status_code == 303
    assert thief.get("/probe").status_code == 303


@pytest.mark.usefixtures("closed")
def test_signing_in_again_ends_the_session_before_and_changes_every_token(
    client: FlaskClient, olivia: accounts.Person
) -> None:
    sign_in(client)
    first, token = client.get_cookie("console"), _token(client)
    assert first is not None
    answer = client.post(
        "/sign-in", data={"email": OLIVIA, "password": GOOD, "csrf_token": token, "next": "/"}
    )
    assert answer.status_code == 303
    thief = client.application.test_client()
    thief.set_cookie("console", first.value)
    assert thief.get("/probe").status_code == 303
    assert client.get("/probe").text == OLIVIA
    assert _token(client) != token


@pytest.mark.usefixtures("olivia", "closed")
def test_a_session_planted_before_signing_in_is_not_taken_over(client: FlaskClient) -> None:
    client.get("/sign-in")
    planted = client.get_cookie("console")
    assert planted is not None
    sign_in(client)
    attacker = client.application.test_client()
    attacker.set_cookie("console", planted.value)
    assert attacker.get("/probe").status_code == 303


ADDRESSES = [
    ("http://127.0.0.1:8000", "console", False),
    ("http://localhost", "console", False),
    ("http://[::1]:8000", "console", False),
    ("https://localhost", "__Host-console", True),
    ("https://console.example", "__Host-console", True),
    ("http://console.example", "__Host-console", True),
    ("http://127.0.0.1.evil.example", "__Host-console", True),
]


@pytest.mark.usefixtures("olivia")
def test_the_cookie(app: Flask) -> None:
    for base, name, secure in ADDRESSES:
        browser = app.test_client()
        answer = browser.get("/sign-in", base_url=base)
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith(f"{name}=")
        assert ("Secure" in cookie) is secure
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
        assert "Expires" not in cookie
        signed = browser.post(
            "/sign-in",
            base_url=base,
            headers={"Origin": base},
            data=Form(answer.text).inputs | {"email": OLIVIA, "password": GOOD},
        )
        assert signed.status_code == 303


@pytest.mark.usefixtures("olivia", "closed")
def test_without_a_session_a_page_leads_to_sign_in_and_back(client: FlaskClient) -> None:
    for path, there in (("/probe", "/probe"), ("/probe?a=1&b=%2F", "/probe%3Fa%3D1%26b%3D%252F")):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/sign-in?next={there}")
    token = Form(client.get("/sign-in").text).inputs["csrf_token"]
    sent = client.post(
        "/probe", data={"csrf_token": token}, headers={"Referer": "http://localhost/c/customer?q=a"}
    )
    assert (sent.status_code, sent.headers["Location"]) == (303, "/sign-in?next=/c/customer%3Fq%3Da")
    part = client.get(
        "/probe", headers={"HX-Request": "true", "HX-Current-URL": "http://localhost/runs/run_1"}
    )
    assert (part.status_code, part.headers["HX-Redirect"]) == (401, "/sign-in?next=/runs/run_1")


@pytest.mark.usefixtures("olivia", "closed")
def test_an_idle_session_ends(client: FlaskClient) -> None:
    sign_in(client)
    with db.hot_engine().connect() as connection:
        connection.execute(sa.text("update console.session set seen_at = now() - interval '31 minutes'"))
    assert client.get("/probe").headers["Location"] == "/sign-in?next=/probe"


def test_a_closed_account_is_out_at_once(client: FlaskClient, olivia: accounts.Person, closed: None) -> None:
    sign_in(client)
    accounts.disable_person(olivia.id)
    assert client.get("/probe").status_code == 303


def test_address_and_browser_are_in_the_log(client: FlaskClient, olivia: accounts.Person) -> None:
    sign_in(client, headers={"User-Agent": "Browser 1"}, environ_overrides={"REMOTE_ADDR": "203.0.113.7"})
    with db.hot_engine().connect() as connection:
        (session,) = connection.execute(sa.text("select id from console.session")).scalars()
    (event,) = log.events_of(session)
    assert (event.type, event.values) == ("signed_in", {"ip": "203.0.113.7", "agent": "Browser 1"})


def _token(client: FlaskClient) -> str:
    """The form token of the session at hand, made as a page makes it."""
    from flask_wtf.csrf import generate_csrf

    with client.session_transaction() as session:
        kept = session.get("csrf_token")
    with client.application.test_request_context():
        from flask import session as fresh

        if kept is not None:
            fresh["csrf_token"] = kept
        made: str = generate_csrf()
        kept = fresh["csrf_token"]
    with client.session_transaction() as session:
        session["csrf_token"] = kept
    return made
