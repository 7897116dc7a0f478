"""The session's cookie: its signature is checked once for the same cookie, and nothing else of it is believed for longer."""

from datetime import timedelta

import pytest
from flask import Flask, flash, get_flashed_messages, session
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from console.auth import accounts
from console.views import identity
from tests.views.test_sign_in import OLIVIA, closed, olivia, sign_in

__all__ = ["closed", "olivia"]  # fixtures


def misses() -> int:
    return identity._signed.cache_info().misses


def asked(app: Flask, cookie: str, path: str = "/probe") -> TestResponse:
    """The answer to a browser that has this cookie alone."""
    browser = app.test_client()
    browser.set_cookie("console", cookie)
    return browser.get(path)


@pytest.mark.usefixtures("olivia", "closed")
def test_a_cookie_is_verified_once_and_the_session_is_asked_each_time(
    client: FlaskClient, olivia: accounts.Person
) -> None:
    sign_in(client)
    assert client.get("/probe").text == OLIVIA
    before = misses()
    assert [client.get("/probe").text for _ in range(3)] == [OLIVIA] * 3
    assert misses() == before
    accounts.disable_person(olivia.id)
    assert client.get("/probe").status_code == 303, (
        "who was shut out stays out, however often the cookie was verified"
    )


@pytest.mark.usefixtures("olivia", "closed")
def test_a_copied_cookie_is_worth_nothing_after_signing_out(app: Flask, client: FlaskClient) -> None:
    sign_in(client)
    kept = client.get_cookie("console")
    assert kept is not None
    assert asked(app, kept.value).text == OLIVIA
    with client.session_transaction() as held:
        accounts.sign_out(held["_user_id"])
    assert asked(app, kept.value).status_code == 303


@pytest.mark.usefixtures("olivia", "closed")
def test_a_cookie_of_other_keys_or_too_old_or_changed_is_refused(app: Flask, client: FlaskClient) -> None:
    sign_in(client)
    kept = client.get_cookie("console")
    assert kept is not None
    assert client.get("/probe").text == OLIVIA
    lasts = app.permanent_session_lifetime
    app.permanent_session_lifetime = timedelta(seconds=-1)
    assert client.get("/probe").status_code == 303
    app.permanent_session_lifetime = lasts
    assert asked(app, kept.value, "/probe").text == OLIVIA
    content, at, signature = kept.value.rsplit(".", 2)
    changed = f"{content}.{at}.{signature[::-1]}"
    for _ in range(2):
        assert asked(app, changed, "/probe").status_code == 303
    app.secret_key = "another key, which signed none of this"
    assert asked(app, kept.value, "/probe").status_code == 303


@pytest.mark.usefixtures("olivia", "closed")
def test_what_a_request_puts_into_its_session_is_not_in_that_of_another_with_the_same_cookie(
    app: Flask, client: FlaskClient
) -> None:
    def say() -> str:
        told = get_flashed_messages()
        flash("once more")
        session["seen"] = session.get("seen", 0) + 1
        return f"{session['seen']} {told}"

    app.add_url_rule("/say", "say", say)
    sign_in(client)
    plain = client.get_cookie("console")
    assert plain is not None
    for _ in range(2):
        assert asked(app, plain.value, "/say").text == "1 []"
    client.get("/say")
    flashed = client.get_cookie("console")
    assert flashed is not None
    for _ in range(2):
        assert asked(app, flashed.value, "/say").text == "2 ['once more']"
