"""Inviting by page, and the page behind the link: for who has it everything, for a stranger nothing."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from console.auth import accounts
from tests.company import Company
from tests.conftest import web_app
from tests.views.conftest import Page, Pages
from tests.views.test_people_pages import reasons

GOOD = "seven tall herons wade"
ENTRY = {"name": "Nora Weiss", "locale": "de", "zone": "Europe/Vienna", "password": GOOD, "again": GOOD}


@pytest.fixture(scope="module")
def pages(module_company: Company) -> Pages:
    """The pages of one company for the module; each test invites to an address of its own."""
    return Pages(module_company, web_app())


@pytest.fixture
def stranger(pages: Pages) -> FlaskClient:
    """A browser that nobody has signed in with."""
    browser = pages.app.test_client()
    browser.environ_base["HTTP_ORIGIN"] = "http://localhost"
    return browser


def invited(pages: Pages, email: str, **more: Any) -> str:
    """The path of a link that an admin made by page."""
    form = pages.ines.get("/settings/people/invite")
    told = {"email": email, "role.1": "lead", "team.1": "operations", "do": "send"} | more
    page = pages.ines.send(form, "/invite", status=200, **told)
    return page.html.partition("http://localhost/invitation/")[2].partition("<")[0]


def enter(stranger: FlaskClient, token: str, **changed: str) -> tuple[int, Page]:
    """Send the form behind the link."""
    fields = Page(stranger.get(f"/invitation/{token}").text).forms[0]["fields"]
    answer = stranger.post(f"/invitation/{token}", data=fields | ENTRY | changed)
    return answer.status_code, Page(answer.text)


def test_who_is_invited_enters_and_is_signed_in(pages: Pages, stranger: FlaskClient) -> None:
    token = invited(pages, "enters@example.com")
    shown = stranger.get(f"/invitation/{token}")
    assert "You sign in as enters@example.com" in Page(shown.text).text
    assert (shown.headers["Cache-Control"], shown.headers["X-Robots-Tag"]) == (
        "no-store",
        "noindex, nofollow",
    )
    assert enter(stranger, token)[0] == 303
    assert "Nora Weiss" in Page(stranger.get("/settings/me").text).text
    person = accounts.person_of_email("enters@example.com")
    assert (person.roles, person.teams, person.locale, person.zone) == (
        frozenset({("lead", "operations")}),
        ("operations",),
        "de",
        "Europe/Vienna",
    )
    assert stranger.get(f"/invitation/{token}").status_code == 404


def test_who_was_signed_in_with_this_browser_is_not_any_more(pages: Pages) -> None:
    token = invited(pages, "replaces@example.com")
    stan = pages.stan
    fields = Page(stan.client.get(f"/invitation/{token}").text).forms[0]["fields"]
    assert stan.client.post(f"/invitation/{token}", data=fields | ENTRY).status_code == 303
    assert "replaces@example.com" in Page(stan.client.get("/settings/me").text).text


WRONG = [
    ({"password": "short", "again": "short"}, "at least 12 characters"),
    ({"again": "something else entirely"}, "differs from the password above"),
    ({"name": ""}, "1 to 200 printable"),
    ({"zone": "Nowhere"}, "time zone"),
    ({"locale": "tlh-XX"}, "language"),
]


def test_what_is_wrong_is_said_and_nothing_typed_is_lost_but_the_password(
    pages: Pages, stranger: FlaskClient
) -> None:
    token = invited(pages, "wrong@example.com")
    for changed, words in WRONG:
        status, page = enter(stranger, token, **changed)
        assert (status, words in reasons(page)[0]) == (422, True), changed
        assert GOOD not in page.html
        assert page.forms[0]["fields"]["name"] == changed.get("name", "Nora Weiss")
    assert enter(stranger, token)[0] == 303


def test_a_stranger_learns_nothing_from_a_link_that_opens_nothing(
    pages: Pages, stranger: FlaskClient
) -> None:
    form = pages.ines.get("/settings/people/invite")
    used, revoked, old = (invited(pages, f"{word}@example.com") for word in ("used", "revoked", "old"))
    assert enter(stranger, used)[0] == 303
    fresh = pages.app.test_client()
    fresh.environ_base["HTTP_ORIGIN"] = "http://localhost"
    listed = pages.ines.get("/settings/people?state=invited&q=revoked")
    (link,) = {link for link in listed.links if "/invitations/" in link}
    page = pages.ines.get(link)
    assert "Lead" in page.text
    assert "works once, until" in page.text
    pages.ines.send(page, "/revoke")
    (again,) = {
        link
        for link in pages.ines.get("/settings/people?state=invited&q=old@").links
        if "/invitations/" in link
    }
    renewed = pages.ines.send(pages.ines.get(again), "/resend", status=200)
    assert "Hand this link to old@example.com" in renewed.text
    bodies = {fresh.get(f"/invitation/{token}").text for token in (used, revoked, old, "guess", "x" * 5000)}
    assert fresh.get("/invitation/%00").status_code == 404
    assert len(bodies) == 1
    body = bodies.pop()
    assert "Ask whoever invited you for a new one" in body
    assert 'href="/sign-in"' in body
    assert "@" not in Page(body).text
    token = str(form.form("/invite")["fields"]["csrf_token"])
    for dead in (used, revoked, "guess"):
        answer = fresh.post(f"/invitation/{dead}", data=ENTRY | {"csrf_token": token})
        assert answer.status_code == 403  # a form that no page of ours showed
        kept = Page(fresh.get("/sign-in").text).forms[0]["fields"]["csrf_token"]
        answer = fresh.post(f"/invitation/{dead}", data=ENTRY | {"csrf_token": kept})
        assert (answer.status_code, answer.text) == (404, body)
    with pytest.raises(Exception, match="Nobody signs in"):
        accounts.person_of_email("revoked@example.com")


def test_a_foreign_page_cannot_send_the_form(pages: Pages, stranger: FlaskClient) -> None:
    token = invited(pages, "foreign@example.com")
    fields = Page(stranger.get(f"/invitation/{token}").text).forms[0]["fields"]
    answer = stranger.post(
        f"/invitation/{token}", data=fields | ENTRY, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
    assert enter(stranger, token)[0] == 303


def test_the_form_of_an_invitation_names_what_is_wrong_and_keeps_what_was_chosen(pages: Pages) -> None:
    form = pages.ines.get("/settings/people/invite")
    page = pages.ines.send(
        form,
        "/invite",
        status=422,
        **{"email": "nobody", "role.1": "lead", "team.1": "operations", "do": "send"},
    )
    assert reasons(page) == ["takes an e-mail address"]
    assert page.form("/invite")["fields"]["pair"] == "lead@operations"
    page = pages.ines.send(page, "/invite", status=409, email="olivia@fernwick.example", do="send")
    assert "signs in as olivia@fernwick.example already" in reasons(page)[0]
    page = pages.ines.send(
        page, "/invite", status=200, **{"role.1": "auditor", "team.1": "audit", "do": "more"}
    )
    assert "Auditor everywhere" in page.text
    page = pages.ines.send(form, "/invite", status=422, email="x@example.com", do="send")
    assert "at least one role" in reasons(page)[0]
    for unknown in ("inv_x", "x%00y"):
        pages.ines.get(f"/settings/people/invitations/{unknown}", status=404)
