"""Signing in through a real, certified identity provider: who gets in with which roles, and what a liar, a thief or somebody in between gains."""

import dataclasses
import http.client
import json
import os
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from console import log
from console.auth import access, accounts
from console.auth.accounts import entry, entry_changes, identities, signing_in
from console.auth.accounts.entry import GroupRole
from console.core.actor import Actor
from console.core.errors import Invalid
from console.infra import settings
from console.infra.db.engine import fetch
from console.views.app import create_app
from tests.company import PASSWORD, Company
from tests.servers import identity
from tests.servers.identity import CLIENT_ID, SECRET, Provider, unchanged
from tests.servers.outside import Received
from tests.views.conftest import Page

BASE = "http://localhost"
BACK = f"{BASE}/sign-in/oidc/callback"
GROUPS = (
    GroupRole("ops", "operator", "operations"),
    GroupRole("leads", "operations_lead", "operations"),
    GroupRole("it", "admin", "*"),
)


@dataclasses.dataclass
class House:
    """The company with its provider."""

    company: Company
    app: Flask
    provider: Provider


@pytest.fixture(scope="module")
def house(module_company: Company) -> Iterator[House]:
    """One for the whole module: people of the provider are new in each test."""
    with identity.running(BACK, leave=f"{BASE}/sign-in") as provider:
        told = {
            "CONSOLE_OIDC_ISSUER": provider.issuer,
            "CONSOLE_OIDC_CLIENT_ID": CLIENT_ID,
            "CONSOLE_OIDC_CLIENT_SECRET": SECRET,
            "CONSOLE_BASE_URL": BASE,
            "CONSOLE_PRIVATE_HOSTS": "127.0.0.1",
        }
        os.environ.update(told)
        settings.current.cache_clear()
        app = create_app()
        app.testing = True
        yield House(module_company, app, provider)
        for one in told:
            del os.environ[one]


@pytest.fixture(autouse=True)
def usual(house: House) -> None:
    """The provider tells the truth, groups have their roles, and everybody may use a password."""
    house.provider.change = unchanged
    fetch("delete from console.throttle returning 1")  # refusals of other tests came from the same address
    rules(groups=GROUPS, password=True, groups_claim="groups", step_up=False)


def rules(**changes: Any) -> None:
    """What the page of the settings would write."""
    entry_changes.store(accounts.COMMAND_LINE, dataclasses.replace(entry.current(), **changes))


class There:
    """A browser at the provider: cookies, and no redirect unless it is told."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.cookies: dict[str, str] = {}

    def walk(self, url: str) -> str:
        """The address of ours that it is sent back to; or the status where it is not."""
        for _ in range(10):
            if url.startswith(BASE + "/"):
                return url
            parts = urlsplit(url)
            connection = http.client.HTTPConnection(str(parts.hostname), parts.port or 80, timeout=20)
            jar = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            connection.request(
                "GET",
                f"{parts.path}?{parts.query}" if parts.query else parts.path,
                headers={"Cookie": jar, "Accept": "text/html"},
            )
            answer = connection.getresponse()
            answer.read()
            connection.close()
            for line in answer.headers.get_all("Set-Cookie") or []:
                self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
            if not answer.headers["Location"]:
                return str(answer.status)
            place = answer.headers["Location"]
            url = place if "://" in place else f"{parts.scheme}://{parts.netloc}{place}"
        raise AssertionError("around in a circle")


def browser(house: House) -> FlaskClient:
    client = house.app.test_client()
    client.environ_base["HTTP_ORIGIN"] = BASE
    return client


def leave(client: FlaskClient, to: str = "/c", query: str = "") -> str:
    """Where our console sends the browser."""
    answer = client.get(f"/sign-in/oidc?next={to}{query}")
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def connect(house: House, client: FlaskClient) -> TestResponse:
    """Begin to connect an account on one's own page, go to the provider and come back."""
    return come_back(client, There(house.provider).walk(sent_to_connect(client)))


def sent_to_connect(client: FlaskClient) -> str:
    """Where somebody is sent to who begins to connect an account."""
    token = Page(client.get("/settings/me").text).form("/sign-in/oidc/connect")["fields"]
    answer = client.post("/sign-in/oidc/connect", data=token)
    there = answer.headers["Refresh"].removeprefix("0; url=")
    assert there in Page(answer.text).links
    return there


def confirm(client: FlaskClient, answer: TestResponse) -> TestResponse:
    """Connect the account that is shown after coming back."""
    assert answer.status_code == 303, answer.text
    form = Page(client.get(answer.headers["Location"]).text).form("/sign-in/oidc/connect/confirm")
    return client.post(form["action"], data=form["fields"])


def with_password(house: House, first: str) -> FlaskClient:
    """Somebody of the company who has signed in with their password."""
    client = browser(house)
    told = Page(client.get("/sign-in").text).form("/sign-in")["fields"]
    assert (
        client.post(
            "/sign-in", data=told | {"email": f"{first}@fernwick.example", "password": PASSWORD}
        ).status_code
        == 303
    )
    return client


def come_back(client: FlaskClient, url: str) -> TestResponse:
    return client.get(url.removeprefix(BASE))


def sign_in(
    house: House, sub: str, to: str = "/c", client: FlaskClient | None = None, **claims: Any
) -> tuple[FlaskClient, TestResponse]:
    """The whole way there and back."""
    client = client or browser(house)
    house.provider.person(sub, **claims)
    return client, come_back(client, There(house.provider).walk(leave(client, to)))


def somebody(sub: str, *groups: str, **more: Any) -> dict[str, Any]:
    return {
        "email": f"{sub}@people.example",
        "email_verified": True,
        "name": f"{sub.title()} Berg",
        "groups": list(groups),
    } | more


def actor_of(client: FlaskClient) -> Actor:
    with client.session_transaction() as session:
        known = accounts.session_of(session["_user_id"])
    assert known is not None
    return known.actor


def person(sub: str, house: House) -> accounts.Person | None:
    known = identities.person_of(house.provider.issuer, sub)
    return None if known is None else accounts.person(known)


def reasons() -> list[str]:
    return [
        event.body["data"]["open"]["reason"]
        for event in log.events_of(signing_in.STRANGER.session)
        if event.type == "sign_in_failed"
    ]


# --- who gets in --------------------------------------------------------------------------------------------------------------


def userinfo(change: Any) -> identity.Changed:
    """The provider's answer about the person, changed."""

    def changed(
        told: Received, status: int, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        return (
            (status, headers, json.dumps(change(json.loads(body))).encode())
            if told.path == "/me"
            else (status, headers, body)
        )

    return changed


def test_somebody_new_gets_the_roles_of_their_groups(house: House) -> None:
    client, answer = sign_in(house, "wilma", to="/c/customer%3Fq%3Dx", **somebody("wilma", "ops", "choir"))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/c/customer?q=x")
    who = actor_of(client)
    assert (who.email, who.name, who.teams) == ("wilma@people.example", "Wilma Berg", ("operations",))
    assert who.roles == {("operator", "operations")}
    assert client.get("/c").status_code == 200
    (opened,) = (event.body["data"]["open"] for event in log.events_of(who.session))
    assert opened["method"] == "oidc"
    assert "Password" not in client.get("/settings/me").text.split("Second factor")[0]


def test_roles_follow_the_groups_at_each_sign_in_and_those_given_by_hand_stay(house: House) -> None:
    sign_in(house, "xaver", **somebody("xaver", "ops", "leads"))
    known = person("xaver", house)
    assert known is not None
    assert known.roles == {("operator", "operations"), ("operations_lead", "operations")}
    access.assign(known.id, [*known.roles, ("reviewer", "operations")])
    client, _ = sign_in(house, "xaver", **somebody("xaver", "leads", email="new@people.example"))
    assert actor_of(client).roles == {("operations_lead", "operations"), ("reviewer", "operations")}
    sign_in(house, "xaver", **somebody("xaver"))
    assert accounts.person(known.id).roles == {("reviewer", "operations")}
    assert fetch("select count(*) from console.person where id = %s", (known.id,)) == [(1,)]


def test_without_a_mapped_role_nobody_gets_in(house: House) -> None:
    for groups in ([], ["choir"], "ops2", [""]):
        client, answer = sign_in(house, "yves", **somebody("yves", groups=groups))
        assert answer.status_code == 403
        assert "You have no role here yet" in answer.text
        assert client.get("/c").status_code == 303
    assert person("yves", house) is None
    assert reasons()[-1] == "no_role"


def test_out_of_the_groups_is_out_of_the_house(house: House) -> None:
    sign_in(house, "zoe", **somebody("zoe", "ops"))
    _, answer = sign_in(house, "zoe", **somebody("zoe"))
    known = person("zoe", house)
    assert answer.status_code == 403
    assert known is not None
    assert (known.roles, known.teams) == (frozenset(), ())


def test_one_group_may_be_told_as_text_and_under_another_name(house: House) -> None:
    rules(groups_claim="https://people.example/roles")
    house.provider.change = userinfo(lambda told: told | {"https://people.example/roles": "ops"})
    client, _ = sign_in(house, "anouk", **somebody("anouk"))
    assert actor_of(client).roles == {("operator", "operations")}


def test_an_invited_person_enters_once_by_an_address_that_the_provider_vouches_for(house: House) -> None:
    accounts.invite(house.company.ines, "bela@people.example", [("reviewer", "operations")])
    for unsure, status in ((False, 403), ("true", 422), (None, 422), (1, 422)):
        _, answer = sign_in(house, "liar", **somebody("bela", email_verified=unsure))
        assert answer.status_code == status
    client, answer = sign_in(house, "bela", **somebody("bela"))
    assert answer.status_code == 303
    assert actor_of(client).roles == {("reviewer", "operations")}
    assert fetch("select count(*) from console.invitation") == [(0,)]
    sign_in(house, "bela", **somebody("bela", "ops"))
    client, _ = sign_in(house, "bela", **somebody("bela"))
    assert actor_of(client).roles == {
        ("reviewer", "operations")
    }  # what an invitation gave, no group takes away
    _, answer = sign_in(house, "second", **somebody("bela", "ops"))
    assert answer.status_code == 403
    assert "This account is not connected" in answer.text


def test_an_account_with_a_password_is_never_taken_over_by_its_address(house: House) -> None:
    _, answer = sign_in(house, "thief", **somebody("thief", "it", email="olivia@fernwick.example"))
    assert answer.status_code == 403
    assert person("thief", house) is None
    assert accounts.person(house.company.olivia.id).roles == {("operator", "operations")}
    assert reasons()[-1] == "not_linked"


def test_who_is_signed_in_connects_their_account_and_takes_it_off_again(house: House) -> None:
    client = with_password(house, "tom")
    house.provider.person("tom", **somebody("tom-there"))
    answer = confirm(client, connect(house, client))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings/me#company-account")
    assert [one.subject for one in identities.identities_of(house.company.tom.id)] == ["tom"]
    again, answer = sign_in(house, "tom", **somebody("tom-there"))
    assert (answer.status_code, actor_of(again).id) == (303, house.company.tom.id)
    answer = connect(house, with_password(house, "mona"))
    assert answer.status_code == 422
    assert "belongs to somebody here already" in answer.text
    (linked,) = identities.identities_of(house.company.tom.id)
    identities.remove(house.company.tom, house.company.tom.id, linked.id)
    assert identities.identities_of(house.company.tom.id) == []


def test_a_closed_account_stays_closed(house: House) -> None:
    sign_in(house, "clara", **somebody("clara", "ops"))
    known = person("clara", house)
    assert known is not None
    accounts.disable_person(known.id)
    _, answer = sign_in(house, "clara", **somebody("clara", "ops"))
    assert answer.status_code == 403
    assert "Your account is closed" in answer.text


def test_who_was_removed_and_comes_again_is_somebody_new(house: House) -> None:
    sign_in(house, "sven", **somebody("sven", "ops"))
    former = person("sven", house)
    assert former is not None
    accounts.remove_person(house.company.ines, former.id, "CONFIRM REMOVE")
    client, _ = sign_in(house, "sven", **somebody("sven", "ops"))
    assert actor_of(client).id != former.id


def test_the_last_admin_stays_one_whatever_the_groups_say(house: House) -> None:
    sign_in(house, "dora", **somebody("dora", "it"))
    known = person("dora", house)
    assert known is not None
    fetch("update console.person set disabled_at = now() where id = %s returning 1", (house.company.ines.id,))
    try:
        client, _ = sign_in(house, "dora", **somebody("dora", "ops"))
        assert actor_of(client).roles == {("admin", "*"), ("operator", "operations")}
    finally:
        fetch(
            "update console.person set disabled_at = null where id = %s returning 1", (house.company.ines.id,)
        )
    client, _ = sign_in(house, "dora", **somebody("dora", "ops"))
    assert actor_of(client).roles == {("operator", "operations")}


def test_passwords_can_be_switched_off_when_an_admin_gets_in_without(house: House) -> None:
    with pytest.raises(Invalid) as refused:
        entry_changes.change(house.company.ines, "127.0.0.1", password=False)
    assert refused.value.details[0]["field"] == "password"
    client, _ = sign_in(house, "emil", **somebody("emil", "it"))
    entry_changes.change(actor_of(client), "127.0.0.1", password=False)
    page = browser(house).get("/sign-in").text
    assert "Sign in with your company account" in page
    assert 'type="password"' not in page
    assert accounts.sign_in("olivia@fernwick.example", PASSWORD, "127.0.0.1", "test") is None
    assert reasons()[-1] == "no_passwords"
    entry_changes.open_again(accounts.COMMAND_LINE)
    assert accounts.sign_in("olivia@fernwick.example", PASSWORD, "127.0.0.1", "test")
    fetch("delete from console.identity where subject = 'emil' returning 1")


def test_signing_out_says_that_one_is_still_signed_in_there(house: House) -> None:
    client, _ = sign_in(house, "frida", **somebody("frida", "ops"))
    token = Page(client.get("/settings/me").text).form("/sign-out")["fields"]["csrf_token"]
    answer = client.post("/sign-out", data={"csrf_token": token})
    assert answer.headers["Location"] == "/sign-in/out"
    (there,) = [
        link for link in Page(client.get("/sign-in/out").text).links if link.startswith(house.provider.issuer)
    ]
    assert parse_qs(urlsplit(there).query) == {
        "client_id": [CLIENT_ID],
        "post_logout_redirect_uri": [f"{BASE}/sign-in"],
    }
    assert There(house.provider).walk(there) == "200"  # the provider asks whether one means it
    assert client.get("/c").status_code == 303
