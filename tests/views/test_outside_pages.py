"""Pages behind a link, for people without an account: no browser keeps them, no search engine lists them, and a link that is none says nothing more."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from console.views.identity import OPEN

LINKS = ("/request/<token>", "/unsubscribe/<token>", "/invitation/<token>")
WRONG = ["nothing", "a" * 4000, "..%2F..%2Fetc", "%00", "%F0%9F%98%80", "<b>x<%2Fb>"]


def test_every_page_behind_a_link_is_one_of_these(app: Flask) -> None:
    """A new one has to be answered as they are: it is tried here then."""
    found = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.rule.endswith("/<token>") and "GET" in (rule.methods or ())
    }
    of_programs = {
        "/hooks/<token>",
        "/channels/<kind>/<provider>/<token>",
    }  # test_hooks_odd_senders, test_gateway
    assert found - {"/sign-in/new-password/<token>"} - of_programs == set(LINKS)
    assert set(LINKS) <= OPEN


@pytest.mark.parametrize("link", LINKS)
def test_a_link_that_is_none_is_not_kept_not_listed_and_told_in_words(client: FlaskClient, link: str) -> None:
    for token in WRONG:
        answer = client.get(link.replace("<token>", token))
        assert answer.status_code == 404, token
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers or "session" in answer.headers["Set-Cookie"]
        assert "<b>x</b>" not in answer.text
        assert token not in answer.text or token == "nothing"
    assert client.get(link.replace("<token>", "nothing")).headers["X-Robots-Tag"] == "noindex, nofollow"
