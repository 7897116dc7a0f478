"""How people sign in, as the settings say it: networks, groups, bodies of requests, who is locked out, and what an admin does to an account."""

import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from console import log
from console.auth import accounts
from console.auth.accounts import entry, entry_changes, signing_in, throttle
from console.commands import sign_in as sign_in_commands, user as user_commands
from console.core.errors import Conflict, Invalid, NotAllowed
from console.infra import settings
from console.infra.db.engine import fetch
from tests.company import PASSWORD
from tests.conftest import web_app
from tests.views.conftest import Browser, Pages
from tests.views.test_me_pages import (
    AGENTS,
    NEW,
    actor_of,
    house as house,  # noqa: PLC0414 - a fixture
    long_ago,
    rules,
    signed_in,
    usual as usual,  # noqa: PLC0414 - a fixture
)
from tests.views.test_second_factor import enrolled

pytestmark = pytest.mark.lengthy

# --- networks and the page of the settings ------------------------------------------------------------------------------------


def at(client: FlaskClient, address: str) -> FlaskClient:
    client.environ_base["REMOTE_ADDR"] = address
    return client


@pytest.mark.parametrize(
    ("address", "let_in"),
    [
        ("203.0.113.7", True),
        ("203.0.114.7", False),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("::ffff:203.0.113.9", True),
        ("198.51.100.5", True),
        ("198.51.100.6", False),
        ("", False),
        ("unix", False),
        ("fe80::1%eth0", False),
    ],
)
def test_only_the_networks_that_are_named_get_as_far_as_signing_in(
    house: Pages, address: str, let_in: bool
) -> None:
    rules(networks=("203.0.113.0/24", "2001:db8::/32", "198.51.100.5/32"))
    key = accounts.create_key("report", house.company.olivia.id).text
    client = at(house.app.test_client(), address)
    assert client.get("/sign-in").status_code == (200 if let_in else 403)
    told = client.get("/api/v1/me", headers={"Authorization": f"Bearer {key}"})
    assert (told.status_code, told.get_json().get("code")) == (
        (200, None) if let_in else (403, "outside_network")
    )
    assert client.get("/no-such-page").status_code == (404 if let_in else 403)
    assert client.get("/health/pages").status_code == 200
    assert client.get("/request/unknown").status_code == 404


@pytest.mark.parametrize(
    ("proxies", "forwarded", "let_in"),
    [
        ("0", "203.0.113.7", False),
        ("1", "203.0.113.7", True),
        ("1", "203.0.113.7, 198.51.100.1", False),
        ("2", "203.0.113.7, 198.51.100.1", True),
    ],
)
def test_behind_proxies_the_address_is_the_one_that_they_tell(
    house: Pages, proxies: str, forwarded: str, let_in: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "CONSOLE_TRUSTED_PROXIES", proxies)
    settings.current.cache_clear()
    rules(networks=("203.0.113.0/24",))
    answer = web_app().test_client().get("/sign-in", headers={"X-Forwarded-For": forwarded})
    monkeypatch.undo()
    settings.current.cache_clear()
    assert answer.status_code == (200 if let_in else 403)


def test_a_session_is_refused_elsewhere_too_and_the_attempt_is_noted(house: Pages) -> None:
    browser = signed_in(house, "olivia")
    rules(networks=("127.0.0.0/8",))
    assert browser.client.get("/c").status_code == 200
    at(browser.client, "203.0.113.7")
    page = browser.get("/c", status=403)
    assert "Your address is 203.0.113.7" in page.text
    browser.client.post("/sign-in", data={"csrf_token": "x"})
    stranger = at(house.app.test_client(), "203.0.113.7")
    assert stranger.post("/sign-in", data={}, headers={"Origin": "http://localhost"}).status_code == 403


def test_the_settings_are_saved_as_typed_and_noted(house: Pages) -> None:
    ines = signed_in(house, "ines")
    page = ines.get("/settings/sign-in")
    ines.send(
        page,
        "/settings/sign-in",
        second_factor="everybody",
        idle_minutes="15",
        whole_minutes="480",
        networks="127.0.0.1\r\n10.1.2.3/8 ",
    )
    told = entry.current()
    assert (told.second_factor, told.idle_minutes, told.whole_minutes, told.networks) == (
        "everybody",
        15,
        480,
        ("127.0.0.1/32", "10.0.0.0/8"),
    )
    event = log.events_of("sys:config")[-1]
    assert event.body["data"]["open"] == {
        "fields": ["idle_minutes", "networks", "second_factor", "whole_minutes"]
    }
    assert event.values["old"]["idle_minutes"] == 30
    assert told.password


WRONG = [
    ("networks", "203.0.113.0/24", "your own address, 127.0.0.1, would be outside"),
    ("networks", "127.0.0.1\nnowhere", "no address or network"),
    ("networks", "127.0.0.1/99", "no address or network"),
    ("idle_minutes", "0", "1 to 1440"),
    ("idle_minutes", "1441", "1 to 1440"),
    ("idle_minutes", "soon", "whole number"),
    ("whole_minutes", "20", "at least the idle time"),
    ("second_factor", "perhaps", "off, roles, everybody"),
]


@pytest.mark.parametrize(("field", "value", "words"), WRONG)
def test_what_cannot_be_is_named_and_nothing_is_lost_or_saved(
    house: Pages, field: str, value: str, words: str
) -> None:
    ines, before = signed_in(house, "ines"), entry.current()
    page = ines.get("/settings/sign-in")
    told = ines.send(
        page,
        "/settings/sign-in",
        status=422,
        **{"networks": "127.0.0.0/8", "idle_minutes": "25", field: value},
    )
    assert words.lower() in told.text.lower()
    assert told.with_attribute("aria-invalid")[0]["name"] == field
    if field != "idle_minutes":
        assert told.form("/settings/sign-in")["fields"]["idle_minutes"] == "25"
    assert entry.current() == before


@pytest.mark.parametrize("name", ["olivia", "stan", "mona", "ada"])
def test_only_who_manages_people_sees_or_changes_it(house: Pages, name: str) -> None:
    browser = signed_in(house, name)
    before = entry.current()
    assert "/settings/sign-in" not in browser.get("/settings/me").links
    browser.get("/settings/sign-in", status=403)
    browser.post("/settings/sign-in", {"csrf_token": browser.token, "second_factor": "off"}, status=403)
    with pytest.raises(NotAllowed):
        entry_changes.change(actor_of(browser), "127.0.0.1", second_factor="off")
    assert entry.current() == before


GROUPS = [
    (("ops", "chief", "operations"), "there is no role 'chief'"),
    (("ops", "operator", "moon"), "there is no team 'moon'"),
    (("ops", "admin", "operations"), "held in every team"),
    (("", "operator", "operations"), "name of a group"),
    (("a\nb", "operator", "operations"), "name of a group"),
]


@pytest.mark.parametrize(("line", "words"), GROUPS)
def test_a_group_leads_to_a_role_and_a_team_that_are_there(
    house: Pages, line: tuple[str, str, str], words: str
) -> None:
    with pytest.raises(Invalid) as refused:
        entry_changes.change(
            actor_of(signed_in(house, "ines")),
            "127.0.0.1",
            groups=(entry.GroupRole("x", "operator", "operations"), entry.GroupRole(*line)),
        )
    (problem,) = refused.value.details
    assert problem["reason"].startswith("line 2: ")
    assert words in problem["reason"]


def test_another_process_follows_within_a_second(house: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    assert entry.current().idle_minutes == 30
    fetch(
        "update console.sign_in set document = document || '{\"idle_minutes\": 7}' returning 1"
    )  # as another process does
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 1.01)
    assert entry.current().idle_minutes == 7


# --- the shell ----------------------------------------------------------------------------------------------------------------


def test_who_is_locked_out_gets_in_again_by_the_shell(house: Pages) -> None:
    rules(networks=("203.0.113.0/24",), password=False, idle_minutes=20)
    told = CliRunner().invoke(sign_in_commands.sign_in, ["open"], catch_exceptions=False)
    assert "Passwords open the console again" in told.output
    assert (entry.current().networks, entry.current().password, entry.current().idle_minutes) == (
        (),
        True,
        20,
    )
    event = log.events_of("sys:config")[-1]
    assert (event.type, event.body["actor"]["id"]) == ("sign_in_changed", "sys_cli")


def test_a_lost_telephone_is_reset_by_the_shell(house: Pages) -> None:
    browser = signed_in(house, "rosa")
    enrolled(browser)
    told = CliRunner().invoke(
        user_commands.user, ["reset-factor", "Rosa@fernwick.example"], catch_exceptions=False
    )
    assert "signs in without a second factor" in told.output
    assert browser.client.get("/c").status_code == 303
    assert signed_in(house, "rosa")
    event = log.events_of("sys:config")[-1]
    assert event.body["data"]["open"] == {
        "person": house.company.rosa.id,
        "factor": "totp",
        "change": "reset",
    }
    with pytest.raises(Conflict):
        CliRunner().invoke(
            user_commands.user, ["reset-factor", "rosa@fernwick.example"], catch_exceptions=False
        )


# --- many at once -------------------------------------------------------------------------------------------------------------


def test_while_many_addresses_guess_at_many_accounts_others_sign_in(
    house: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(house, "olivia")
    monkeypatch.setattr(
        "console.auth.accounts.passwords.matches", lambda _, password: password == PASSWORD
    )  # the count is tested here, not the hash
    names = [f"{name}@fernwick.example" for name in ("olivia", "tom", "mona", "nobody", "other")]

    def guess(number: int) -> str | None:
        return accounts.sign_in(
            names[number % 5], f"wrong guess {number}", f"198.51.{number % 100}.{number % 7}", "bot"
        )

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(guess, range(400))) == {None}
    slowed = fetch(
        "select count(*) from console.throttle where key like 'account:%%' and count > %s",
        (signing_in.PER_ACCOUNT,),
    )
    assert slowed[0][0] >= 1
    assert accounts.sign_in("olivia@fernwick.example", PASSWORD, "127.0.0.1", "test")
    assert accounts.sign_in("stan@fernwick.example", PASSWORD, "192.0.2.44", "test")
    assert throttle.LONGEST_S <= 30


BODIES: dict[str, dict[str, Any]] = {
    "a form": {"data": {"former": PASSWORD, "new": NEW}},
    "a form in parts": {"data": {"former": PASSWORD, "new": NEW}, "content_type": "multipart/form-data"},
    "text": {"data": f"former={PASSWORD}&new={NEW}", "content_type": "text/plain"},
    "JSON": {"json": {"former": PASSWORD, "new": NEW}},
    "nothing": {"data": b""},
    "something else": {"data": b"x", "content_type": "application/octet-stream"},
}


@pytest.mark.parametrize("kind", BODIES)
def test_no_kind_of_body_gets_past_the_check_where_it_comes_from(house: Pages, kind: str) -> None:
    browser = signed_in(house, "tom")
    paths = (
        "/settings/me/password",
        "/settings/me/profile",
        "/settings/me/second-factor",
        "/step-up",
        "/session/kept",
        "/sign-out",
        "/settings/sign-in",
    )
    for path in paths:
        for headers in (
            {"Origin": "https://evil.example"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Origin": "http://localhost"},
        ):
            assert browser.client.post(path, headers=headers, **BODIES[kind]).status_code == 403, (
                path,
                headers,
            )
    assert browser.client.get("/c").status_code == 200
    assert accounts.sign_in("tom@fernwick.example", PASSWORD, "127.0.0.1", "test")


# --- somebody else's account, for who manages people --------------------------------------------------------------------------


def test_an_admin_makes_a_link_ends_sessions_and_resets_a_lost_factor(house: Pages) -> None:
    ines, tom = signed_in(house, "ines"), signed_in(house, "tom", AGENTS[0][0])
    enrolled(tom)
    path = f"/settings/sign-in/of/{house.company.tom.id}"
    page = ines.get(path)
    assert "Firefox on Windows" in page.text
    told = ines.send(page, "/password-link", status=200)
    link = re.search(r"(/sign-in/new-password/[\w-]{43})<", told.html)
    assert link is not None
    assert "Choose a new password" in Browser(house.app.test_client()).get(link[1]).text
    assert link[1] not in ines.get(path).html
    ines.send(page, "/end-sessions")
    assert tom.client.get("/c").status_code == 303
    ines.send(page, "/reset-factor")
    assert signed_in(house, "tom")
    ines.send(page, "/reset-factor", status=409)
    long_ago()
    for rest in ("/password-link", "/reset-factor"):
        assert "Confirm it’s you" in ines.send(page, rest, status=403).text
    assert ines.get("/settings/sign-in/of/usr_nobody", status=404)


@pytest.mark.parametrize("name", ["olivia", "stan", "ada", "mona"])
def test_nobody_else_gets_to_somebody_elses_account(house: Pages, name: str) -> None:
    browser = signed_in(house, name)
    path = f"/settings/sign-in/of/{house.company.tom.id}"
    assert "Tom" not in browser.get(path, status=403).text
    for rest in ("/password-link", "/end-sessions", "/reset-factor"):
        browser.post(path + rest, {"csrf_token": browser.token}, status=403)
    assert fetch("select count(*) from console.one_time where kind = 'reset'") == [(0,)]
