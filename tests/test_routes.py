"""Every route of the URL map: closed to strangers, judged for people without rights, and never a 500. What is added later is walked too."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from console.auth import access, accounts
from console.views.identity import ENROLLING, OPEN
from console.views.security import LARGE, LISTS

GOOD = "seven tall herons wade"
OWN = {
    "/help",
    *(
        "/",
        "/c",
        "/approvals",
        "/inbox",
        "/more",
        "/my-work",
        "/notices",
        "/notices/read",
        "/patterns",
        "/search",
        "/settings/keys",
        "/settings/me/absences",
        "/settings/me/absences/<absence_id>/end",
        "/settings/keys/new",
        "/settings",
        "/settings/me",
        "/settings/me/second-factor",
        "/settings/me/second-factor/codes.txt",
        "/settings/me/sessions/end-others",
        "/session",
        "/session/kept",
        "/session/returned",
        "/step-up",
        "/step-up/go-on",
        "/sign-out",
        "/tasks",
        "/work",
        "/work-views",
        "/workflows",
        "/workflows/lately",
        "/w",
        "/d",
        "/api/v1/me",
    ),
}
"""Routes that show or change nothing but what is one's own (`/c`, `/workflows`, `/w`, `/inbox`, `/approvals`, `/search`: what one may see of them): they need somebody, and no right."""

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


class Caller:
    """A browser and a program of one person, or of nobody."""

    def __init__(self, app: Flask, person: accounts.Person | None, password: str = GOOD) -> None:
        self.app, self.browser, self.headers = app, app.test_client(), {}
        self.token = str(URLSafeTimedSerializer(app.secret_key or "", salt="wtf-csrf-token").dumps("kept"))
        token = accounts.sign_in(person.email, password, "127.0.0.1", "test") if person else None
        with self.browser.session_transaction() as session:
            session["csrf_token"] = "kept"
            if token:
                session["_user_id"] = token
        if person:
            self.headers = {"Authorization": f"Bearer {accounts.create_key('tests', person.id).text}"}

    def __call__(self, path: str, method: str) -> TestResponse:
        if path.startswith(("/api/", "/mcp")):
            client: FlaskClient = self.app.test_client()
            return client.open(
                path, method=method, headers=self.headers, json=None if method == "GET" else {}
            )
        told = {"csrf_token": self.token} if method != "GET" else None
        return self.browser.open(path, method=method, data=told, headers={"Sec-Fetch-Site": "same-origin"})


@pytest.fixture
def wren(app: Flask) -> accounts.Person:
    """Somebody without any right."""
    person = accounts.create_person(
        "wren@fernwick.example", role="operator", team="operations", password=GOOD
    ).person
    access.assign(person.id, [])
    return person


def routes(app: Flask, *, but: frozenset[str] | set[str]) -> Iterator[tuple[str, str, str]]:
    """Rule, a path that it matches, method; each of the URL map except those named."""
    for rule in sorted(app.url_map.iter_rules(), key=str):
        if rule.rule not in but:
            for method in sorted((rule.methods or set()) & METHODS):
                path = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule)
                yield (
                    rule.rule,
                    re.sub(r"<(int:)?[^>]+>", lambda found: "1" if found[1] else "unknown", path),
                    method,
                )


def test_endpoints_that_are_treated_apart_are_there(app: Flask) -> None:
    assert (ENROLLING | LARGE | LISTS) - app.view_functions.keys() == set()


def test_the_few_open_routes_are_there(app: Flask) -> None:
    assert {rule.rule for rule in app.url_map.iter_rules()} >= OPEN | OWN


def test_strangers_are_let_in_nowhere(app: Flask) -> None:
    stranger, wrong = Caller(app, None), []
    for rule, path, method in routes(app, but=OPEN):
        answer = stranger(path, method)
        if path.startswith(("/api/", "/mcp")):
            good = answer.status_code == 401 and answer.get_json()["code"] == "not_signed_in"
        else:
            good = answer.status_code == 303 and answer.headers["Location"].startswith("/sign-in")
        wrong += [] if good else [(method, rule, answer.status_code)]
        answer.close()
    assert wrong == []


def test_without_a_right_nothing_is_shown_and_nothing_done(app: Flask, wren: accounts.Person) -> None:
    caller, wrong = Caller(app, wren), []
    for rule, path, method in routes(app, but=OPEN | OWN):
        answer = caller(path, method)
        refused = answer.status_code in (400, 403, 404, 409, 415, 422)
        empty = answer.status_code == 200 and answer.is_json and answer.get_json().get("data") == []
        wrong += [] if refused or empty else [(method, rule, answer.status_code)]
        answer.close()
    assert wrong == []


def test_an_address_with_a_nul_in_it_is_nothing(app: Flask, wren: accounts.Person) -> None:
    """PostgreSQL takes no such text: where an id goes into a statement, it would be a fault of the server."""
    caller, wrong = Caller(app, wren), []
    for rule, path, method in routes(app, but=OPEN):
        hostile = re.sub(r"unknown", "a%00b", path)
        if hostile != path:
            answer = caller(hostile, method)
            wrong += [] if answer.status_code == 404 else [(method, rule, answer.status_code)]
            answer.close()
    assert wrong == []


def test_another_method_is_405(app: Flask, wren: accounts.Person) -> None:
    taken: dict[str, set[str]] = {}
    for _, path, method in routes(app, but=set()):
        taken.setdefault(path, set()).add(method)
    caller, wrong = Caller(app, wren), []
    adapter = app.url_map.bind("localhost")
    for path in taken:
        for method in sorted(METHODS - set(adapter.allowed_methods(path))):
            answer = caller(path, method)
            wrong += (
                []
                if answer.status_code == 405
                and answer.is_json is path.startswith(("/api/", "/hooks/", "/mcp"))
                else [(method, path, answer.status_code)]
            )
    assert wrong == []


def test_ones_own_routes_answer_the_person_without_a_right(app: Flask, wren: accounts.Person) -> None:
    caller = Caller(app, wren)
    for _, path, method in sorted(
        routes(app, but={rule.rule for rule in app.url_map.iter_rules()} - OWN),
        key=lambda one: one[1] == "/sign-out",
    ):
        assert caller(path, method).status_code in (200, 303, 404 if "unknown" in path else 422), (
            method,
            path,
        )  # 422: a form that was sent empty
