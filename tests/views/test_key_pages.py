"""The pages of keys: made and shown once, looked at, revoked; whose they are and who else sees them."""

import re

import pytest

from console.auth import accounts
from tests.views.conftest import Pages

SECRET = re.compile(r"cns_[0-9a-z]{26}_[0-9a-f]{64}")


def test_a_key_is_made_shown_once_and_revoked(pages: Pages) -> None:
    olivia = pages.olivia
    form = olivia.get("/settings/keys/new")
    assert "Start runs and do their steps" in form.text
    assert "Publish drafts" not in form.text
    shown = olivia.send(
        form,
        "/settings/keys/create",
        status=200,
        name="Nightly <report>",
        days="30",
        what="some",
        acts="workflow.see",
        networks="203.0.113.0/24, 198.51.100.9",
    )
    text = SECRET.search(shown.html)
    assert text
    assert "Nightly &lt;report&gt;" in shown.html
    listed = olivia.get("/settings/keys")
    assert not SECRET.search(listed.html)
    assert "1 right" in listed.text
    page = olivia.get(next(link for link in listed.links if link.startswith("/settings/keys/key_")))
    assert "See workflows and runs" in page.text
    assert "203.0.113.0/24, 198.51.100.9/32" in page.text
    assert not SECRET.search(page.html)
    olivia.send(page, "/revoke")
    assert "Revoked" in olivia.follow().text
    assert accounts.actor_of_key(text[0]) is None
    assert "Revoke Nightly" not in olivia.get(f"/settings/keys/key_{text[0].split('_')[1]}").text


def test_a_key_for_an_assistant_is_made_for_some_tools(pages: Pages) -> None:
    form = pages.olivia.get("/settings/keys/new")
    given = {"name": "Reader", "days": "30", "what": "assistant"}
    again = pages.olivia.send(form, "/settings/keys/create", status=422, **given, tools="abortRun")
    assert "abortRun" in again.text
    pages.olivia.send(form, "/settings/keys/create", status=200, **given, tools="findRecords")
    [key] = accounts.keys_of(pages.company.olivia)
    assert key.scopes.tools == frozenset({"findRecords"})
    assert "over MCP: findRecords" in pages.olivia.get(f"/settings/keys/{key.id}").text


def test_what_is_wrong_is_named_and_nothing_typed_is_lost(pages: Pages) -> None:
    form = pages.tom.get("/settings/keys/new")
    again = pages.tom.send(form, "/settings/keys/create", status=422, name="", what="some", networks="here")
    assert "takes 1 to 200 printable characters" in again.text
    assert again.form("/settings/keys/create")["fields"]["networks"] == "here"
    again = pages.tom.send(
        form, "/settings/keys/create", status=422, name="Feed", what="some", acts="activity.export"
    )
    assert "activity.export is not a right of yours" in again.text
    assert again.form("/settings/keys/create")["fields"]["name"] == "Feed"
    assert not accounts.keys_of(pages.company.tom)


@pytest.mark.parametrize(("who", "status"), [("stan", 404), ("mona", 404), ("ines", 200)])
def test_another_person_s_key(pages: Pages, who: str, status: int) -> None:
    made = accounts.create_key("Hers", pages.company.olivia.id)
    browser = getattr(pages, who)
    browser.get(f"/settings/keys/{made.id}", status=status)
    assert ("Hers" in browser.get("/settings/keys/all", status=200 if status == 200 else 403).text) is (
        status == 200
    )
    browser.post(
        f"/settings/keys/{made.id}/revoke",
        {"csrf_token": browser.token},
        status=303 if status == 200 else 404,
    )
    assert (accounts.actor_of_key(made.text) is None) is (status == 200)


def test_nobody_without_a_session(pages: Pages) -> None:
    for path in ("/settings/keys", "/settings/keys/new", "/settings/keys/all", "/settings/keys/key_x"):
        answer = pages.app.test_client().get(path)
        assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (303, "/sign-in")
